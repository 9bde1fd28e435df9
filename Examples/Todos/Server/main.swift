//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import BroadcastingServer
import Database

await ServerProgram.run { settings in
  let broadcast = try PostgresBroadcast(settings.required("DATABASE_URL", such: "postgres://localhost/todos"))
  var configuration = try settings.serverConfiguration(port: 8003)
  // The todos are all that there is here.
  configuration.endpoints = .health
  try await withDatabase(of: settings) { [configuration] database in
    let todos = TodoStore(database)
    try await todos.prepare()
    let server = BroadcastServer(broadcast, configuration: configuration) { routes in
      routes.page(
        "/", PackageResources.index_html,
        files: ["app.css": PackageResources.app_css, "app.js": PackageResources.app_js])
      TodoAPI(todos).add(to: &routes)
    }
    try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
  }
}
