//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The wish to close a WebSocket, as an error: what a socket's handler throws decides how the socket is closed.
///
/// ```swift
/// guard let text = message.text else { throw WebSocketClosure(.unsupportedData, "Send text.") }
/// ```
public struct WebSocketClosure: Error, Hashable, Sendable, CustomStringConvertible {
  public var code: WebSocketCloseCode

  /// Said to the peer; cut at 123 bytes.
  public var reason: String

  public init(_ code: WebSocketCloseCode, _ reason: String = "") {
    self.code = code
    self.reason = reason
  }

  public var description: String { reason.isEmpty ? "\(code)" : "\(code): \(reason)" }
}
