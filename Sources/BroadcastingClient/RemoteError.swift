//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// The errors of a client that are not a server's answer.
enum RemoteError {
  static func connecting(
    _ error: NetworkError, to url: ServerURL, outcome: BroadcastError.Outcome? = nil
  ) -> BroadcastError {
    if error.code == .cancelled { return cancelled(outcome) }
    // Of this machine, and not of the server.
    if error.code == .authoritiesUnusable {
      return BroadcastError(.refused, sentence(error.message), outcome: outcome, underlying: error)
    }
    let (code, isRetriable): (BroadcastError.Code, Bool) =
      switch error.code {
      case .timedOut: (.timedOut, true)
      // The same certificate comes the next time, and the same protocol.
      case .certificateRefused, .tlsFailed: (.refused, false)
      case .invalidAddress: (.invalidURL, false)
      default: (.unavailable, true)
      }
    return BroadcastError(
      code, "The server at \(url) cannot be reached: \(sentence(error.message))", isRetriable: isRetriable,
      outcome: outcome,
      underlying: error)
  }

  private static func sentence(_ text: String) -> String {
    if let last = text.last, ".?!".contains(last) { text } else { text + "." }
  }

  /// - Parameter isPublishing: Whether the error says what became of a message.
  static func exchange(
    _ failure: HTTPExchangeFailure, with url: ServerURL, isPublishing: Bool
  ) -> BroadcastError {
    let outcome: BroadcastError.Outcome? = isPublishing ? (failure.wasWritten ? .unconfirmed : .notSent) : nil
    switch failure.cause {
    case .network(let error) where error.code == .cancelled: return cancelled(outcome)
    case .network(let error) where error.code == .timedOut:
      return BroadcastError(
        .timedOut, "The server at \(url) did not answer in time.", isRetriable: true, outcome: outcome,
        underlying: error)
    case .network(let error):
      return BroadcastError(
        .unavailable, "The connection to the server at \(url) was lost: \(sentence(error.message))", isRetriable: true,
        outcome: outcome, underlying: error)
    case .http(let error):
      return BroadcastError(
        .refused, "What answers at \(url) is no server of broadcasts: \(error.message) Is the URL right?",
        outcome: outcome, underlying: error)
    }
  }

  static func cancelled(_ outcome: BroadcastError.Outcome? = nil) -> BroadcastError {
    outcome.map { .cancelled.with(outcome: $0) } ?? .cancelled
  }

  static var ended: BroadcastError { .ended.with(outcome: .notSent) }

  static func noneFree(_ timeout: Duration, connections: Int) -> BroadcastError {
    BroadcastError(
      .timedOut,
      "No connection for publishing was free within \(timeout): all \(connections) were busy. Publish less at once, or "
        + "raise maximumConnections.", isRetriable: true, outcome: .notSent)
  }

  static func tooManyWait(_ limit: Int) -> BroadcastError {
    BroadcastError(
      .unavailable, "\(limit) messages wait for a connection already. Wait for some of them before you publish more.",
      isRetriable: true, outcome: .notSent)
  }

  static func leftAlone(_ url: ServerURL, for left: Duration, _ refusal: ServerRefusal) -> BroadcastError {
    let seconds = left.components.seconds + (left.components.attoseconds > 0 ? 1 : 0)
    return BroadcastError(
      .unavailable, "The server at \(url) asked to be left alone. It is sent nothing for another \(seconds) s.",
      isRetriable: true, outcome: .notSent, underlying: refusal)
  }

  static func silent(_ url: ServerURL) -> BroadcastError {
    BroadcastError(
      .timedOut, "The server at \(url) took a subscription, and did not say in time where the channel stands.",
      isRetriable: true)
  }

  /// Why a subscription ended.
  static func closed(_ close: WebSocketClose, by url: ServerURL) -> BroadcastError {
    let who =
      switch close.origin {
      case .peer: "The server at \(url) ended the subscription"
      case .local: "The subscription at \(url) was given up"
      case .connection: "The subscription's connection to \(url) broke, or was silent for too long"
      }
    // Code and reason are the server's; 1008 is its no to this client, which time does not change.
    let text = close.origin == .connection ? "\(who)." : "\(who): \(AnswerText.clean(close.description))"
    return BroadcastError(
      close.code == .policyViolation ? .refused : .unavailable, text, isRetriable: close.code != .policyViolation)
  }
}
