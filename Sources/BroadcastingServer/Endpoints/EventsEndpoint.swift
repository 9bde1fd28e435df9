//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `/events`: a WebSocket that gets the messages of its channels, and publishes what its client sends.
struct EventsEndpoint: Sendable {
  /// What is decided before the handshake is answered.
  struct Context: Sendable {
    let feed: SocketFeed
    /// Where the client's messages go: the first channel.
    let target: Channel
  }

  let broadcast: any Broadcast
  let rules: ClientRules

  func accept(_ request: Request) async throws -> Context {
    let channels = try rules.channels(of: request, atMost: rules.maximumChannels)
    return Context(feed: try await request.subscribe(to: channels), target: channels[0])
  }

  func serve(_ socket: WebSocket, _ context: Context) async throws {
    try await runUntilFirstCompletes(
      { [broadcast] in
        while let message = await socket.receive() {
          try await broadcast.publish(Message(message, to: context.target))
        }
      },
      { try await context.feed.deliver(to: socket) }
    )
  }
}

extension Message {
  fileprivate init(_ message: WebSocketMessage, to channel: Channel) {
    switch message.kind {
    case .text: self.init(validUTF8: message.bytes, to: channel)
    case .binary: self.init(message.bytes, to: channel)
    }
  }
}
