//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// A broadcast that keeps what is published, and fails where a test says.
final class ScriptedBroadcast: Broadcast {
  private let state: Lock<(published: [Message], failures: [Int: BroadcastError], calls: Int)>

  /// - Parameter failures: by the number of the call, from 1 on.
  init(failures: [Int: BroadcastError] = [:]) { state = Lock(([], failures, 0)) }

  var published: [String] { state.withLock { $0.published }.map { $0.text ?? "binary \($0.payload)" } }
  var capabilities: Capabilities { Capabilities() }
  var statistics: BroadcastStatistics { MemoryBroadcast().statistics }

  func run() async throws(BroadcastError) {}

  func publish(_ message: Message) async throws(BroadcastError) -> Receipt {
    try state.withLock { state throws(BroadcastError) in
      state.calls += 1
      if let failure = state.failures[state.calls] { throw failure }
      state.published.append(message)
    }
    return Receipt()
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    var receipts: [Receipt] = []
    for message in messages { receipts.append(try await publish(message)) }
    return receipts
  }

  func subscribe(to channels: [Channel], options: SubscriptionOptions) async throws(BroadcastError) -> Subscription {
    throw BroadcastError(.refused, "Nobody subscribes here.")
  }
}
