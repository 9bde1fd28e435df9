//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

@testable import Broadcasting

/// A backend that delivers nothing, and whose subscriptions outlive its `run()`.
struct EndlessBroadcast: Broadcast {
  private final class Shared: Sendable {
    let isOver = Lock(false)
    let ended = Latch()
  }

  /// Holds the subscriptions. Whoever makes this one runs it, for longer.
  let base: MemoryBroadcast
  private let shared = Shared()

  var capabilities: Capabilities { base.capabilities }
  var statistics: BroadcastStatistics { base.statistics }

  /// Waits for the end of `run()`.
  func waitForEnd() async throws { try await shared.ended.wait() }

  func run() async throws(BroadcastError) {
    // As long as the task lasts, in place of a connection that would be read here.
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    shared.isOver.withLock { $0 = true }
    shared.ended.succeed()
  }

  private func check() throws(BroadcastError) {
    if shared.isOver.withLock({ $0 }) { throw .ended }
  }

  func publish(_ message: Message) async throws(BroadcastError) -> Receipt {
    try check()
    return Receipt()
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try check()
    return messages.map { _ in Receipt() }
  }

  func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try check()
    return try await base.subscribe(to: channels, options: options)
  }
}
