//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `/events`: a WebSocket that gets the messages of its channels, and publishes what its client sends.
///
/// A class, and what a socket's closures hold is little: it is there once for each socket that sleeps.
final class EventsEndpoint: Sendable {
  private let broadcast: any Broadcast
  private let rules: ClientRules

  init(broadcast: any Broadcast, rules: ClientRules) {
    self.broadcast = broadcast
    self.rules = rules
  }

  /// Subscribes, before the handshake is answered.
  func accept(_ request: Request) async throws -> Routes.Acceptance {
    let query = try rules.events(of: request)
    let feed = try await request.subscribe(to: query.channels, from: query.start, positions: query.positions)
    // What the client sends goes to the first.
    let target = query.channels[0]
    var acceptance = Routes.Acceptance { socket in
      do {
        try await runUntilFirstCompletes(
          { try await self.publishAll(from: socket, to: target) },
          { try await feed.deliver(to: socket) }
        )
        return feed.pendingClosure()
      } catch {
        return error
      }
    }
    // Frames without positions have no place for it.
    if query.start != .live { acceptance.headers = ["Broadcast-Recovery": feed.recovered ? "recovered" : "missed"] }
    return acceptance
  }

  private func publishAll(from socket: WebSocket, to channel: Channel) async throws {
    while let message = await socket.receive() { try await publish(message, to: channel) }
  }

  /// Apart from the loop that calls it, whose frame would be wider by all of this in every socket that sleeps.
  @inline(never)
  private func publish(_ message: WebSocketMessage, to channel: Channel) async throws {
    switch message.kind {
    case .text: try await broadcast.publish(Message(validUTF8: message.bytes, to: channel))
    case .binary: try await broadcast.publish(Message(message.bytes, to: channel))
    }
  }
}
