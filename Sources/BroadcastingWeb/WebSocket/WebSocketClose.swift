//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How a WebSocket ended.
public struct WebSocketClose: Hashable, Sendable, CustomStringConvertible {
  /// Which end was the first to say so.
  public enum Origin: Hashable, Sendable {
    /// This end sent its close frame first.
    case local
    /// The peer sent its close frame first.
    case peer
    /// The connection broke without a close frame from either end.
    case connection
  }

  public let origin: Origin

  /// The code that was sent first; nil when the close frame had none (1005) or there was no close frame (1006).
  public let code: WebSocketCloseCode?

  /// The reason beside the code; empty when there was none.
  public let reason: String

  package init(_ origin: Origin, _ code: WebSocketCloseCode? = nil, _ reason: String = "") {
    self.origin = origin
    self.code = code
    self.reason = reason
  }

  public var description: String {
    let code = code.map { "\($0)" } ?? "no code"
    return reason.isEmpty ? code : "\(code): \(reason)"
  }
}
