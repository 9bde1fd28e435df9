//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer

/// Somebody's own server: a route beside ours, which publishes too.
let port = Int(CommandLine.arguments.last ?? "") ?? 8080

try await withBroadcast("memory://", among: [.memory]) { broadcast in
  let server = BroadcastServer(broadcast, configuration: .init(port: port)) { routes in
    routes.get("/hello/:name") { request in
      let name = try request.parameter("name")
      try await broadcast.publish("hello \(name)", to: "events")
      return .text("hello \(name)")
    }
  }
  try await server.run()
}
