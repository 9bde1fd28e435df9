//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import BroadcastingServer
import Database

await ServerProgram.run { settings in
  let url = try settings.required("DATABASE_URL", such: "postgres://localhost/shop")
  let pause = try settings.number("GENERATE", default: 2, in: 0...86_400)
  let broadcast = try PostgresBroadcast(url)
  try await withDatabase(url) { database in
    try await database.migrate(
      "orders", PostgresBroadcast.migration + String(decoding: PackageResources.orders_sql, as: UTF8.self))
    let events = OrderEvents(database, broadcast)
    var configuration = try settings.serverConfiguration(port: 8000)
    // Only the database tells of orders: nobody may push one.
    configuration.endpoints.push = nil
    configuration.endpoints.events = nil
    configuration.endpoints.page = nil
    // Any page may listen, one that was opened as a file too: see README.md for what that opens.
    configuration.origins = try OriginPolicy(origins: ["*"], allowsNullOrigin: true)
    let server = BroadcastServer(broadcast, configuration: configuration) { routes in
      Page.add(to: &routes)
      routes.socket("/order_events") { socket, _ in try await events.serve(socket) }
    }
    try await runUntilFirstCompletes(
      { try await broadcast.run() },
      {
        try await runUntilFirstCompletes(
          { try await server.run() },
          { try await OrderGenerator(database, pause: .seconds(pause)).run() })
      })
  }
}
