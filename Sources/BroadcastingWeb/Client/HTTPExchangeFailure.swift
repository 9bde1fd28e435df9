//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// Why a request has no answer.
package struct HTTPExchangeFailure: Error, Sendable, CustomStringConvertible {
  package enum Cause: Sendable {
    /// The connection failed, the time was over, or the task was cancelled.
    case network(NetworkError)
    /// What came is no answer of HTTP/1.1, or over a limit; or the request can't be written.
    case http(HTTPError)
  }

  package let cause: Cause

  /// Whether something of the request may have reached the server. If not, it can be sent again without harm.
  package let wasWritten: Bool

  /// Whether the connection was taken and has never brought a byte, to this request or one before: so it is not known that
  /// anybody is there who answers.
  package let broughtNothing: Bool

  package init(_ cause: Cause, wasWritten: Bool, broughtNothing: Bool = false) {
    self.cause = cause
    self.wasWritten = wasWritten
    self.broughtNothing = broughtNothing
  }

  /// Whether the connection is gone, or nobody is at its other end any more.
  package var isLoss: Bool {
    guard case .network(let error) = cause else { return false }
    return error.code != .cancelled
  }

  /// What went wrong, as an error that users can see.
  package var underlying: any Error {
    switch cause {
    case .network(let error): error
    case .http(let error): error
    }
  }

  package var description: String {
    switch cause {
    case .network(let error): error.message
    case .http(let error): error.message
    }
  }
}
