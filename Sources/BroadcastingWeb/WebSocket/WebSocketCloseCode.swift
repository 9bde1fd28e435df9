//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a WebSocket was closed (RFC 6455 section 7.4).
public struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16

  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// It has done what it was for.
  public static let normal = WebSocketCloseCode(rawValue: 1000)

  /// The server stops, or the page was left.
  public static let goingAway = WebSocketCloseCode(rawValue: 1001)

  /// The peer's bytes aren't the protocol.
  public static let protocolError = WebSocketCloseCode(rawValue: 1002)

  /// A message of a kind, text or binary, that this end doesn't take.
  public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)

  /// A text that isn't UTF-8.
  public static let invalidText = WebSocketCloseCode(rawValue: 1007)

  /// A message that this end's rules forbid.
  public static let policyViolation = WebSocketCloseCode(rawValue: 1008)

  /// A message over a limit.
  public static let messageTooLarge = WebSocketCloseCode(rawValue: 1009)

  /// A fault of the server's own.
  public static let internalError = WebSocketCloseCode(rawValue: 1011)

  /// The server is being restarted; come back.
  public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)

  /// What was asked can't be done now; a retry may help.
  public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)

  /// The client missed messages, since it read too slowly, and may come back.
  public static let missedMessages = WebSocketCloseCode(rawValue: 4000)

  /// Whether a close frame may have this code. 1004, 1005, 1006 and 1015 are kept for use outside of frames, up to 2999
  /// only registered codes go, 3000 to 3999 are for libraries and 4000 to 4999 for applications.
  public var isValidInFrame: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  public var description: String { "\(rawValue)" }
}
