//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What one measurement came to.
struct Measurement: Sendable {
  var messages: Int
  var seconds: Double
  /// Of this process, all threads, in user and system mode together.
  var cpuSeconds: Double
  /// Of each round trip, in microseconds.
  var latencies: [Double] = []

  var json: String {
    var text = "{\"messages\":\(messages),\"seconds\":\(seconds),\"cpuSeconds\":\(cpuSeconds)"
    if !latencies.isEmpty {
      let sorted = latencies.sorted()
      text += ",\"p50\":\(sorted[sorted.count / 2]),\"p99\":\(sorted[sorted.count * 99 / 100])"
    }
    return text + "}"
  }
}

/// Publishers and their own subscription over one broadcast. It runs where its caller does.
struct Load {
  static let publishers = 64
  static let channel = Channel("bench")

  let broadcast: any Broadcast
  /// Where the tasks run; nil is the global pool.
  let executor: (any TaskExecutor)?

  func measure(_ work: Options.Work, messages: Int) async throws -> Measurement {
    // Here nobody may fall behind: the publishers don't wait for the subscriber, which gets a turn when there is one.
    let options = SubscriptionOptions(buffer: .fail(maximumMessages: 1_000_000, maximumBytes: 240 * 1_024 * 1_024))
    return try await broadcast.withSubscription(to: Self.channel, options: options) { subscription in
      let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID)
      let start = seconds(CLOCK_MONOTONIC)
      var measurement = Measurement(messages: messages, seconds: 0, cpuSeconds: 0)
      switch work {
      case .roundTrip:
        measurement.latencies = try await goRound(messages, subscription)
      case .throughput(let count):
        measurement.messages = try await publish(messages, atATime: count, subscription)
      }
      measurement.seconds = seconds(CLOCK_MONOTONIC) - start
      measurement.cpuSeconds = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu
      return measurement
    }
  }

  private func goRound(_ messages: Int, _ subscription: Subscription) async throws -> [Double] {
    var latencies: [Double] = []
    latencies.reserveCapacity(messages)
    var ledger = Ledger(publishers: 1)
    var deliveries = subscription.makeAsyncIterator()
    for number in 0..<messages {
      let start = seconds(CLOCK_MONOTONIC)
      try await broadcast.publish(NumberedText.make(publisher: 0, number: number), to: Self.channel)
      guard let delivery = try await deliveries.next() else { throw MeasurementError("the subscription ended") }
      latencies.append((seconds(CLOCK_MONOTONIC) - start) * 1e6)
      try ledger.enter(delivery)
    }
    return latencies
  }

  /// Returns how many messages that were: as many as all publishers can share.
  private func publish(_ messages: Int, atATime count: Int, _ subscription: Subscription) async throws -> Int {
    let calls = max(1, messages / Self.publishers / count)
    let total = calls * count * Self.publishers
    try await withThrowingTaskGroup { group in
      group.addTask(executorPreference: executor) {
        var ledger = Ledger(publishers: Self.publishers)
        for try await batch in subscription.batches {
          for delivery in batch { try ledger.enter(delivery) }
          if ledger.count >= total { return }
        }
        throw MeasurementError("the subscription ended after \(ledger.count) of \(total) messages")
      }
      for publisher in 0..<Self.publishers {
        group.addTask(executorPreference: executor) {
          for call in 0..<calls {
            if count == 1 {
              try await broadcast.publish(NumberedText.make(publisher: publisher, number: call), to: Self.channel)
            } else {
              try await broadcast.publish(
                (0..<count).map {
                  Message(NumberedText.make(publisher: publisher, number: call * count + $0), to: Self.channel)
                })
            }
          }
        }
      }
      // The first that fails ends the others.
      try await group.waitForAll()
    }
    return total
  }
}

private func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
