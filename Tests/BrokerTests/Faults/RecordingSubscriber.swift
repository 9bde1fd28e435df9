//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// Keeps what one subscription gets, and meanwhile asks for other subscriptions again and again.
final class RecordingSubscriber: Sendable {
  private let broadcast: any Broadcast
  private let recorded = Lock(Account())
  private let asking = Lock(Asking())

  private struct Asking {
    var complaints: [String] = []
    var lastSuccess: ContinuousClock.Instant?
    var failures = 0
  }

  private let asked: @Sendable (Int) -> Channel

  /// - Parameter asked: The channel of each call of ``keepAsking()``.
  init(of broadcast: any Broadcast, askingFor asked: @escaping @Sendable (Int) -> Channel) {
    self.broadcast = broadcast
    self.asked = asked
  }

  var account: Account { recorded.withLock { $0 } }

  /// Whether something came of each line that is as new as this, or newer.
  func hasHeard(all marks: [Line: Int]) -> Bool { recorded.withLock { $0.hasHeard(all: marks) } }

  /// Calls of `subscribe` that failed in another way than is promised, or too late.
  var complaints: [String] { asking.withLock { $0.complaints } }
  var failedCalls: Int { asking.withLock { $0.failures } }

  /// Whether a call of `subscribe` has succeeded that began then or later.
  func couldSubscribe(since start: ContinuousClock.Instant) -> Bool {
    asking.withLock { $0.lastSuccess.map { $0 >= start } ?? false }
  }

  func record(_ subscription: Subscription) async throws {
    for try await delivery in subscription { recorded.withLock { $0.add(delivery) } }
  }

  /// Subscribes to one channel after the other that nobody else has, until its task is cancelled.
  func keepAsking() async {
    for round in 0... where !Task.isCancelled {
      let start = ContinuousClock.now
      do throws(BroadcastError) {
        try await broadcast.subscribe(to: asked(round)).cancel()
        asking.withLock { $0.lastSuccess = start }
      } catch  where error.code != .cancelled {
        let time = ContinuousClock.now - start
        asking.withLock { asking in
          asking.failures += 1
          if !error.isRetriable { asking.complaints.append("subscribing failed as if no retry could help: \(error)") }
          if time > Promised.failing { asking.complaints.append("subscribing failed only after \(time): \(error)") }
        }
      } catch {}
      try? await Task.sleep(for: .milliseconds(50))
      if Task.isCancelled { return }
    }
  }
}
