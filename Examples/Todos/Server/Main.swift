//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
import BroadcastingServer
import Database

@main
struct Program {
  static func main() async {
    await ServerProgram.run { settings in
      let url = try settings.required("DATABASE_URL", such: "postgres://localhost/todos")
      var configuration = try settings.serverConfiguration(port: 8003)
      // The todos are all that there is here.
      configuration.endpoints.push = nil
      configuration.endpoints.events = nil
      configuration.endpoints.page = nil
      let broadcast = try PostgresBroadcast(url)

      try await withDatabase(of: settings) { [configuration] database in
        let todos = TodoStore(database)
        try await todos.prepare()
        let server = BroadcastServer(broadcast, configuration: configuration) { routes in
          Page.add(to: &routes)
          TodoAPI(todos).add(to: &routes)
        }
        try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
      }
    }
  }
}
