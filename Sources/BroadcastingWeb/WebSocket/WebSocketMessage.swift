//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A message of a WebSocket.
public struct WebSocketMessage: Hashable, Sendable {
  /// What a message is, on the wire too: an empty text and an empty binary message are not the same.
  public enum Kind: Hashable, Sendable {
    /// UTF-8.
    case text
    /// Any bytes.
    case binary
  }

  public let kind: Kind

  /// The payload; for a text its UTF-8, which was checked if the message was received.
  public let bytes: [UInt8]

  package init(_ kind: Kind, _ bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  public static func text(_ text: String) -> WebSocketMessage {
    WebSocketMessage(.text, Array(text.utf8))
  }

  public static func binary(_ bytes: [UInt8]) -> WebSocketMessage {
    WebSocketMessage(.binary, bytes)
  }

  /// The text of a text message, nil for a binary one.
  public var text: String? {
    kind == .text ? String(decoding: bytes, as: UTF8.self) : nil
  }
}
