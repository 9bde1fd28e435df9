//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Why a connection to the database could not be made, or is no more.
struct LineFailure: Error, Sendable {
  /// How far it had come.
  enum Stage: Sendable {
    case connecting
    /// The two ends agree on encryption.
    case encrypting
    case loggingIn
    /// The first statements are run.
    case settingUp
    case established
  }

  enum Cause: Sendable {
    case cancelled
    case timedOut
    /// The server said so.
    case server(SQLState)
    /// The server wants a password, and there is none.
    case passwordMissing
    /// libpq's text is all there is.
    case other
  }

  let stage: Stage
  let cause: Cause
  /// One sentence.
  let reason: String

  init(_ cause: Cause, at stage: Stage, _ reason: String = "") {
    self.cause = cause
    self.stage = stage
    self.reason = reason
  }

  init(_ error: NetworkError, at stage: Stage) {
    switch error.code {
    case .cancelled: self.init(.cancelled, at: stage)
    case .timedOut: self.init(.timedOut, at: stage)
    default: self.init(.other, at: stage, ServerText.sentence(error.message))
    }
  }

  /// Whether the same attempt may succeed later.
  var isRetriable: Bool {
    switch cause {
    case .cancelled, .timedOut: true
    case .passwordMissing: false
    // A server that only reads may be promoted at any time.
    case .server(let state): state.isRetriable || state == .readOnly
    // There is no code for what fails in TLS. OpenSSL's word for a connection that broke off is "SYSCALL".
    case .other: stage != .encrypting || reason.contains("SYSCALL") || reason.contains("closed the connection")
    }
  }
}

/// What the server answered to a query.
enum LineAnswer: Sendable {
  case done
  case refused(SQLState, reason: String)
}
