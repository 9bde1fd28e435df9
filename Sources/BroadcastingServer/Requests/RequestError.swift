//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
public import BroadcastingWeb

/// An answer other than success, thrown by a handler: a status, and a body that says what was wrong.
///
/// The body is `{"error": {"code": …, "message": …}}`.
public struct RequestError: Error, Sendable, CustomStringConvertible {
  public var status: HTTPStatus

  /// A short name of the fault for programs, such as `unknown_field`.
  public var code: String

  /// For people: what was wrong, which limit, and what to do.
  public var message: String

  public var headers: HTTPHeaders

  public init(_ status: HTTPStatus, _ code: String, _ message: String, headers: HTTPHeaders = [:]) {
    self.status = status
    self.code = code
    self.message = message
    self.headers = headers
  }

  public var description: String { "\(status) \(code): \(message)" }

  var response: HTTPResponse {
    .json(AnswerBody.error(code: code, message: message), status: status, headers: headers)
  }
}

extension RequestError {
  init(_ error: HTTPError) { self.init(error.status, error.code.name, error.message) }

  init(_ error: PushError) { self.init(.badRequest, error.code.description, error.message) }

  init(_ refusal: OriginRefusal) { self.init(.forbidden, refusal.code, refusal.message) }

  /// A handshake that was refused with a text, in the shape of all other errors.
  init(refusedHandshake response: HTTPResponse) {
    var headers = response.headers
    headers["Content-Type"] = nil
    let code = response.status == .upgradeRequired ? "upgrade_required" : "bad_handshake"
    let text = response.body.split(separator: UInt8(ascii: "\n")).first ?? []
    self.init(response.status, code, String(decoding: text, as: UTF8.self), headers: headers)
  }

  /// How an error of the library looks over HTTP.
  init(_ error: BroadcastError) {
    switch error.code {
    case .invalidChannel: self.init(.badRequest, "invalid_channel", error.clientMessage)
    case .tooManyChannels: self.init(.badRequest, "too_many_channels", error.clientMessage)
    case .invalidText: self.init(.badRequest, "invalid_text", error.clientMessage)
    case .unsupportedHistory: self.init(.badRequest, "no_history", error.clientMessage)
    case .invalidPosition: self.init(.badRequest, "invalid_position", error.clientMessage)
    case .messageTooLarge: self.init(.contentTooLarge, "message_too_large", error.clientMessage)
    // The broker has looked at it and said no: asking again brings nothing.
    case .refused where !error.isRetriable && error.outcome != .unconfirmed:
      self.init(.forbidden, "refused", error.clientMessage)
    default:
      let code = error.outcome == .unconfirmed ? "unconfirmed" : "unavailable"
      self.init(.serviceUnavailable, code, error.clientMessage, headers: ["Retry-After": "1"])
    }
  }

  static var stopping: RequestError {
    RequestError(.serviceUnavailable, "stopping", "The server stops.", headers: ["Retry-After": "1"])
  }

  /// What is only a WebSocket was asked for by a plain request.
  static var upgradeRequired: RequestError {
    RequestError(
      .upgradeRequired, "upgrade_required", "This is a WebSocket. Connect with ws:// and not with http://.",
      headers: ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"])
  }

  /// Any error that a handler throws. What is not meant for clients is not shown to them.
  init(thrown error: any Error) {
    switch error {
    case let error as RequestError: self = error
    // What could not be read came from the broker, and the error may quote what this client must not see.
    case let error as BroadcastError where error.code != .undecodable: self.init(error)
    case let error as HTTPError: self.init(error)
    case is CancellationError: self = .stopping
    default: self.init(.internalServerError, "internal_error", "The server failed to answer this request.")
    }
  }
}

extension HTTPError.Code {
  /// In the style of the other codes in answers: `target_too_long` for `targetTooLong`.
  fileprivate var name: String {
    description.reduce(into: "") { name, character in
      name += character.isUppercase ? "_" + character.lowercased() : String(character)
    }
  }
}

extension WebSocketClosure {
  /// How a socket is closed whose handler failed.
  init(thrown error: any Error) {
    switch error {
    case let closure as WebSocketClosure: self = closure
    case let error as BroadcastError where error.code != .undecodable:
      switch error.code {
      case .messageTooLarge: self.init(.messageTooLarge, error.clientMessage)
      case .invalidChannel, .tooManyChannels, .unsupportedHeaders, .invalidText, .unsupportedHistory, .invalidPosition:
        self.init(.policyViolation, error.clientMessage)
      case .fellBehind, .missedMessages: self = .missedMessages
      case .notRunning, .cancelled, .closed: self.init(.goingAway, "The server stops.")
      default: self.init(error.isRetriable ? .tryAgainLater : .internalError, error.clientMessage)
      }
    case is CancellationError: self.init(.goingAway, "The server stops.")
    case let error as RequestError: self.init(.policyViolation, error.message)
    default: self.init(.internalError, "The server failed.")
    }
  }
}
