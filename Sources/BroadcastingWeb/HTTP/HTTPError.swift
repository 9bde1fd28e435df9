//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is wrong with a message of HTTP, or why one can't be sent.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of fault. More may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String, Sendable {
      case malformed, unknownMethod, targetTooLong, headersTooLarge, bodyTooLarge, unknownExpectation, timedOut,
        unsendable, badHandshake
    }

    private let value: Value

    private init(_ value: Value) {
      self.value = value
    }

    /// The bytes aren't a message of HTTP/1.1 or 1.0, or one that two readers could understand differently.
    public static let malformed = Code(.malformed)

    /// The request's method is none that is read: those of HTTP itself, WebDAV and a few more, as llhttp knows them. It
    /// is answered 400 and not 501: what a client got wrong must not look like a fault of the server.
    public static let unknownMethod = Code(.unknownMethod)

    /// The request target is over ``HTTPLimits/targetBytes``.
    public static let targetTooLong = Code(.targetTooLong)

    /// The header is over ``HTTPLimits/headerBytes`` or ``HTTPLimits/headerFields``.
    public static let headersTooLarge = Code(.headersTooLarge)

    /// The body is over ``HTTPLimits/bodyBytes``.
    public static let bodyTooLarge = Code(.bodyTooLarge)

    /// The request has an `Expect` other than `100-continue`.
    public static let unknownExpectation = Code(.unknownExpectation)

    /// The request was not complete in time.
    public static let timedOut = Code(.timedOut)

    /// A message of our own has a name, a value or a target which would break its line.
    public static let unsendable = Code(.unsendable)

    /// A server's answer to a WebSocket handshake isn't the one that RFC 6455 asks for.
    public static let badHandshake = Code(.badHandshake)

    public var description: String { value.rawValue }
  }

  public let code: Code

  /// What was wrong, which limit, and what to do, in a sentence.
  public let message: String

  /// The request without its body, where that was too large: its answer may depend on who asked. It says nothing of the
  /// fault, so errors are compared without it.
  package var request: HTTPRequest?

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (one: HTTPError, other: HTTPError) -> Bool {
    one.code == other.code && one.message == other.message
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(code)
    hasher.combine(message)
  }

  /// The status that tells the peer of this fault.
  public var status: HTTPStatus {
    switch code {
    case .targetTooLong: .uriTooLong
    case .headersTooLarge: .requestHeaderFieldsTooLarge
    case .bodyTooLarge: .contentTooLarge
    case .unknownExpectation: .expectationFailed
    case .timedOut: .requestTimeout
    case .unsendable: .internalServerError
    case .badHandshake: .badGateway
    default: .badRequest
    }
  }

  public var description: String { "\(code): \(message)" }
}

extension HTTPError {
  /// Told by the request line alone: that of a method nobody knows needs no more to be answered.
  static var unknownMethod: HTTPError {
    HTTPError(.unknownMethod, "The request's method is unknown. Methods are written in capitals, such as GET.")
  }
}
