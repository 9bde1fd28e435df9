//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a frame carries (RFC 6455 section 5.2). The opcodes that aren't here are reserved, and refused.
package enum WebSocketOpcode: UInt8, Sendable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10

  /// Whether frames of it are short, never in fragments, and may come between the fragments of a message.
  package var isControl: Bool { rawValue >= 8 }

  package init(_ kind: WebSocketMessage.Kind) {
    self = kind == .text ? .text : .binary
  }
}

/// Which end of a WebSocket this is: a client masks what it sends, a server never does.
package enum WebSocketRole: Sendable {
  case client, server
}
