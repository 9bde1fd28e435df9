//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

let broadcast = try BroadcastBackend.open("memory://", among: [.memory])
let server = BroadcastServer(broadcast, configuration: .init(port: 8080)) { routes in
  routes.check { request in
    guard request.http.headers["Authorization"] == "Bearer secret" else {
      throw RequestError(.unauthorized, "unauthorized", "Who are you?")
    }
  }
  routes.get("/hello/:name") { request in .text("hello \(try request.parameter("name"))") }
  // Off the loop, for what takes long.
  routes.get("/report", on: .pool) { _ in .text("\((1...1_000_000).reduce(0, +))") }
  routes.socket("/chat/:room") { request in
    let channel = Channel("chat." + (try request.parameter("room")))
    return (channel: channel, feed: try await request.subscribe(to: [channel]))
  } handler: { socket, chat in
    // Whichever completes first ends the other, and the socket.
    try await runUntilFirstCompletes(
      {
        while let message = await socket.receive() {
          // A binary message has none, and is passed over.
          if let text = message.text { try await broadcast.publish(text, to: chat.channel) }
        }
      },
      { try await chat.feed.deliver(to: socket) }
    )
  }
}
// Here too: a server whose backend has ended must not go on.
try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
