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

  package init(_ cause: Cause, wasWritten: Bool) {
    self.cause = cause
    self.wasWritten = wasWritten
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
