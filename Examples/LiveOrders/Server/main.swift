//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import BroadcastingServer
import Database

await ServerProgram.run { settings in
  let pause = try settings.number("GENERATE", default: 2, in: 0...86_400)
  let configuration = try configuration(of: settings)
  try await withDatabase(of: settings) { database in
    let broadcast = try PostgresBroadcast(settings.required("DATABASE_URL", such: "postgres://localhost/shop"))
    try await database.execute(PostgresBroadcast.migration)
    try await database.migrate("orders", String(decoding: PackageResources.migration_sql, as: UTF8.self))
    let events = OrderEvents(database, broadcast)
    let server = BroadcastServer(broadcast, configuration: configuration) { routes in
      routes.page(
        "/", PackageResources.index_html,
        files: ["app.css": PackageResources.app_css, "app.js": PackageResources.app_js])
      routes.socket("/order_events") { socket, _ in try await events.serve(socket) }
    }
    let generator = OrderGenerator(database, pause: .seconds(pause))
    try await runUntilFirstCompletes(
      { try await broadcast.run() },
      { try await runUntilFirstCompletes({ try await server.run() }, { try await generator.run() }) })
  }
}

@Sendable func configuration(of settings: ProgramSettings) throws -> BroadcastServer.Configuration {
  var configuration = try settings.serverConfiguration(port: 8000)
  // Only the database tells of orders: nobody may push one.
  configuration.endpoints = .health
  // Any page may listen, one that was opened as a file too: see README.md for what that opens.
  configuration.origins = try OriginPolicy(
    origins: ["*"], allowsOtherMachines: try settings.flag("INSECURE"), allowsNullOrigin: true)
  return configuration
}
