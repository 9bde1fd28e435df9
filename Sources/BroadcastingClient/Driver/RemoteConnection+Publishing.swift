//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// Publishing: each message is a request on a kept connection.
extension RemoteConnection {
  nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    // A task without this preference would take a detour over the global pool at each step on the loop.
    try await withTaskExecutorPreference(loop) { () async throws(BroadcastError) in
      try await publishInTurn(messages)
    }
  }

  /// Publishes one message after the other, on one connection for as long as that lasts.
  private func publishInTurn(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    var lent: PushConnections.Lent?
    var receipts: [Receipt] = []
    receipts.reserveCapacity(messages.count)
    do throws(BroadcastError) {
      for message in messages {
        receipts.append(try await publish(message, over: &lent))
      }
    } catch {
      if let lent { await connections.takeBack(lent) }
      throw receipts.isEmpty
        ? error.with(error.outcome ?? .notSent) : Self.partly(error, receipts.count, of: messages.count)
    }
    if let lent { await connections.takeBack(lent) }
    return receipts
  }

  private func publish(_ message: Message, over lent: inout PushConnections.Lent?) async throws(BroadcastError)
    -> Receipt
  {
    try checkIsOpen()
    let deadline = ContinuousClock.now + configuration.requestTimeout
    while true {
      let now = try await connection(&lent, by: deadline)
      let response: HTTPResponse
      do throws(HTTPExchangeFailure) {
        response = try await now.connection.send(requests.push(message), within: max(.zero, deadline - .now))
      } catch {
        // It ended before anything was written, so nothing is sent twice on another one.
        if now.wasFree, !error.wasWritten, error.isLoss { continue }
        if error.wasWritten, error.isLoss { await connections.dropFree() }
        let reason = RemoteError.exchange(error, with: requests.url, isPublishing: true)
        noteLoss(error, reason)
        throw reason
      }
      guard let error = answers.error(response, to: .push(message.channel)) else {
        return Receipt(position: AnswerText.position(response.body))
      }
      note(error)
      throw error
    }
  }

  /// The connection in hand, or another one where that has ended.
  private func connection(
    _ lent: inout PushConnections.Lent?, by deadline: ContinuousClock.Instant
  ) async throws(BroadcastError) -> PushConnections.Lent {
    if let old = lent {
      if await old.connection.isReusable { return old }
      lent = nil
      await connections.takeBack(old)
    }
    do throws(BroadcastError) {
      let new = try await connections.lend(by: deadline)
      lent = new
      return new
    } catch {
      noteConnecting(error)
      throw error
    }
  }

  /// The outcome holds for all messages of a call, and some have arrived.
  private static func partly(_ error: BroadcastError, _ count: Int, of all: Int) -> BroadcastError {
    var error = error
    error.message = "The first \(count) of \(all) messages were published. The next one failed: \(error.message)"
    error.outcome = .unconfirmed
    return error
  }
}
