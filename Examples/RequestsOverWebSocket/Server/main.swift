//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import BroadcastingServer
import Database

await ServerProgram.run { settings in
  let broadcast = try PostgresBroadcast(settings.required("DATABASE_URL", such: "postgres://localhost/app"))
  var configuration = try settings.serverConfiguration(port: 8080)
  // What is published comes from the database: clients only ask, and are notified.
  configuration.endpoints = .health
  let admin = Admin(token: settings["ADMIN_TOKEN"])
  try await withDatabase(of: settings) { [configuration] database in
    // `broadcast.publish`, which publishes with a transaction's commit.
    try await database.execute(PostgresBroadcast.migration)
    try await database.migrate("users", String(decoding: PackageResources.migration_sql, as: UTF8.self))
    let server = BroadcastServer(broadcast, configuration: configuration) { routes in
      // The same routes answer over HTTP, and as frames on this socket: one after the other, as they were sent.
      routes.requestSocket("/", limits: .init(inFlight: 1)) { try Changes.channels(for: $0) }
      routes.check { request in
        // The pages of others must not change anything by way of who looks at them.
        if request.http.method != .get, request.http.method != .head { try request.checkOrigin() }
      }
      routes.page(
        "/", PackageResources.index_html,
        files: ["app.css": PackageResources.app_css, "app.js": PackageResources.app_js])
      UserRoutes(users: Users(database: database), admin: admin).add(to: &routes)
      AddressRoutes(addresses: Addresses(database: database), admin: admin).add(to: &routes)
    }
    try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
  }
}
