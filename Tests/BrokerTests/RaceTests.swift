//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "Races on a broker", .timeLimit(.minutes(2)))
struct RaceTests {
  /// Nobody else has them, also on a broker that others use.
  fileprivate static let channels: [Channel] = {
    let name = UInt64.random(in: 0 ... .max)
    return (0..<8).map { Channel("race \(name) \($0)") }
  }()

  @Test(
    "of a thousand who come and go at random while messages flow, whoever is subscribed hears, and nobody else",
    arguments: Broker.reachable + Broker.histories)
  func comingAndGoing(broker: Broker) async throws {
    let seed = UInt64.random(in: 0 ... .max)
    try await broker.withURL { url in
      try await withBroadcast(try broker.open(url, Events())) { broadcast in
        try await withBroadcast(try broker.open(url, Events())) { other in
          try await race(broadcast, other, seed)
        }
      }
    }
  }

  private func race(_ broadcast: any Broadcast, _ other: any Broadcast, _ seed: UInt64) async throws {
    let racers = try await withThrowingTaskGroup(of: [Racer].self) { group in
      group.addTask { try await flow(from: other) }
      for number in 0..<8 {
        group.addTask {
          var racer = Racer(number, SeededGenerator(seed: seed &+ UInt64(number)))
          try await racer.comeAndGo(125, on: Self.channels, of: broadcast, other)
          return [racer]
        }
      }
      var racers: [Racer] = []
      while racers.count < 8, let more = try await group.next() { racers += more }
      group.cancelAll()
      return racers
    }
    for channel in Self.channels { try await other.publish("end", to: channel) }
    for subscription in racers.flatMap(\.stayed) {
      #expect(try await hears("end", subscription), "seed \(seed)")
      subscription.cancel()
    }
    for subscription in racers.flatMap(\.left) {
      let heard = try await hears("end", subscription)
      #expect(!heard, "seed \(seed)")
    }
    try await wait(for: "the end of all subscriptions") { broadcast.statistics.channels == 0 }
  }
}

/// Publishes to all channels in turn, until its task is cancelled.
private func flow(from broadcast: any Broadcast) async throws -> [Racer] {
  var number = 0
  while !Task.isCancelled {
    number += 1
    do {
      try await broadcast.publish("flow \(number)", to: RaceTests.channels[number % RaceTests.channels.count])
    } catch {
      if error.code != .cancelled { throw error }
    }
  }
  return []
}

/// One of those who come and go.
private struct Racer {
  /// Who is still subscribed, and has read nothing yet.
  var stayed: [Subscription] = []
  /// Who has left without reading.
  var left: [Subscription] = []
  private let number: Int
  private var generator: SeededGenerator

  init(_ number: Int, _ generator: SeededGenerator) {
    self.number = number
    self.generator = generator
  }

  /// Every other one reads what is published as soon as it has come.
  mutating func comeAndGo(
    _ times: Int, on channels: [Channel], of broadcast: any Broadcast, _ other: any Broadcast
  ) async throws {
    for time in 0..<times {
      let channel = channels[Int(generator.next() % UInt64(channels.count))]
      let subscription = try await broadcast.subscribe(to: channel)
      if generator.next() % 2 == 0 {
        let text = "\(number) at \(time)"
        try await other.publish(text, to: channel)
        #expect(try await hears(text, subscription), "\(text) on \(channel)")
        // A subscription has one reader, so that nobody can ask it again.
        subscription.cancel()
      } else {
        stayed.append(subscription)
      }
      while stayed.count > Int(generator.next() % 4) {
        let leaver = stayed.remove(at: Int(generator.next() % UInt64(stayed.count)))
        leaver.cancel()
        left.append(leaver)
      }
    }
  }
}

/// Whether it comes before the subscription ends.
private func hears(_ text: String, _ subscription: Subscription) async throws -> Bool {
  for try await delivery in subscription {
    if case .message(let message) = delivery, message.text == text { return true }
  }
  return false
}
