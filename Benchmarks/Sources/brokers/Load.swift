//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

/// What one measurement came to.
struct Measurement: Sendable {
  var messages = 0
  var seconds = 0.0
  /// Of this process.
  var cpuSeconds = 0.0
  /// In microseconds.
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

/// Publishers and their own subscription over one broadcast. All tasks run where the caller's does: where that prefers no
/// executor, on the global pool.
struct Load {
  static let publishers = 64
  static let channel = Channel("bench")

  let broadcast: any Broadcast
  /// Whether each message carries the time of its sending.
  let isStamped: Bool

  func measure(_ work: Options.Work, messages: Int) async throws -> Measurement {
    // Here nobody may fall behind: the publishers don't wait for the subscriber, which gets a turn when there is one.
    let options = SubscriptionOptions(buffer: .fail(maximumMessages: 1_000_000, maximumBytes: 240 * 1_024 * 1_024))
    return try await broadcast.withSubscription(to: Self.channel, options: options) { subscription in
      var measurement = Measurement()
      let (start, cpu) = (Clock.monotonic(), Clock.cpu())
      switch work {
      case .roundTrip:
        measurement.messages = messages
        measurement.latencies = try await goRound(messages, subscription)
      case .throughput(let count):
        let ledger = try await publish(messages, atATime: count, subscription)
        measurement.messages = ledger.count
        measurement.latencies = ledger.latencies
      }
      measurement.seconds = Double(Clock.monotonic() - start) / 1e9
      measurement.cpuSeconds = Double(Clock.cpu() - cpu) / 1e9
      return measurement
    }
  }

  private func goRound(_ messages: Int, _ subscription: Subscription) async throws -> [Double] {
    var latencies: [Double] = []
    latencies.reserveCapacity(messages)
    var ledger = Ledger(publishers: 1, messages: 0)
    var deliveries = subscription.makeAsyncIterator()
    for number in 0..<messages {
      let start = Clock.monotonic()
      try await broadcast.publish(message(number, of: 0, sent: 0))
      guard let delivery = try await deliveries.next() else { throw MeasurementError("the subscription ended") }
      latencies.append(Double(Clock.monotonic() - start) / 1e3)
      try ledger.enter(CollectionOfOne(delivery))
    }
    return latencies
  }

  /// All publishers have the same number of calls, so there may be some messages fewer.
  private func publish(_ messages: Int, atATime count: Int, _ subscription: Subscription) async throws -> Ledger {
    let calls = max(1, messages / Self.publishers / count)
    return try await withThrowingTaskGroup(of: Ledger?.self) { group in
      group.addTask {
        try await receive(calls * count * Self.publishers, subscription)
      }
      for publisher in 0..<Self.publishers {
        group.addTask {
          try await publish(calls, count, as: publisher)
          return nil
        }
      }
      // The first that fails ends the others.
      var ledger = Ledger(publishers: 0, messages: 0)
      for try await result in group { ledger = result ?? ledger }
      return ledger
    }
  }

  private func publish(_ calls: Int, _ count: Int, as publisher: Int) async throws {
    for call in 0..<calls {
      let sent = isStamped ? Clock.monotonic() : 0
      if count == 1 {
        try await broadcast.publish(message(call, of: publisher, sent: sent))
      } else {
        try await broadcast.publish(
          (call * count..<(call + 1) * count).map { message($0, of: publisher, sent: sent) })
      }
    }
  }

  private func receive(_ messages: Int, _ subscription: Subscription) async throws -> Ledger {
    var ledger = Ledger(publishers: Self.publishers, messages: isStamped ? messages : 0)
    for try await batch in subscription.batches {
      try ledger.enter(batch)
      if ledger.count >= messages { return ledger }
    }
    throw MeasurementError("the subscription ended after \(ledger.count) of \(messages) messages")
  }

  private func message(_ number: Int, of publisher: Int, sent: Int) -> Message {
    Message(NumberedText.make(.init(publisher: publisher, message: number, sent: sent)), to: Self.channel)
  }
}
