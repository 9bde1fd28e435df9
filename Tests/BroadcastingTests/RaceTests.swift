//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

@Suite("Races", .timeLimit(.minutes(5)))
struct RaceTests {
  @Test("every subscriber gets every publisher's messages, once and in order", arguments: [false, true])
  func order(atOnce: Bool) async throws {
    let publishers = 4
    let each = 2_000
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(buffer: .fail(maximumMessages: publishers * each))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<16 {
          let subscription = try await broadcast.subscribe(to: "a", options: options)
          group.addTask {
            var next = [Int](repeating: 0, count: publishers)
            var count = 0
            for try await message in subscription.messages(onGap: .throw) {
              let publisher = Int(message.payload[0])
              #expect(Int(message.payload[1]) << 8 | Int(message.payload[2]) == next[publisher])
              next[publisher] += 1
              count += 1
              if count == publishers * each { break }
            }
            #expect(count == publishers * each)
          }
        }
        for publisher in 0..<publishers {
          group.addTask {
            let messages = (0..<each).map { number in
              Message([UInt8(publisher), UInt8(number >> 8), UInt8(number & 255)], to: "a")
            }
            if atOnce {
              for start in stride(from: 0, to: each, by: 50) {
                try await broadcast.publish(Array(messages[start..<start + 50]))
              }
            } else {
              for message in messages { try await broadcast.publish(message) }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(broadcast.statistics.bytesHeld == 0)
    }
  }

  @Test("what slow readers missed and what they got is all there was")
  func accounting() async throws {
    let total = 20_000
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for reader in 1...6 {
          let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: reader * 3))
          let subscription = try await broadcast.subscribe(to: "a", options: options)
          group.addTask {
            var seen = 0
            for try await delivery in subscription {
              switch delivery {
              case .message(let message):
                #expect(message.text == "\(seen)")
                seen += 1
              case .gap(let gap): seen += gap.missed ?? total
              }
              if seen % reader == 0 { await Task.yield() }
              if seen == total { break }
            }
            #expect(seen == total)
          }
        }
        for number in 0..<total { try await broadcast.publish("\(number)", to: "a") }
        try await group.waitForAll()
      }
    }
  }

  @Test("subscribing, reading, cancelling and dropping at random leaves nothing behind")
  func churn() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      await withTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            var random = SeededGenerator(seed: UInt64(worker))
            for _ in 0..<400 {
              let channels = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                Channel("\(Int.random(in: 0..<4, using: &random))")
              }
              guard let subscription = try? await broadcast.subscribe(to: channels) else { continue }
              switch Int.random(in: 0..<4, using: &random) {
              case 0: break
              case 1: subscription.cancel()
              case 2:
                await withTaskGroup(of: Void.self) { readers in
                  readers.addTask { await readOne(subscription) }
                  await Task.yield()
                  readers.cancelAll()
                }
              default:
                _ = try? await broadcast.publish("x", to: channels[0])
                await readOne(subscription)
              }
            }
          }
        }
        for publisher in 0..<2 {
          group.addTask {
            for number in 0..<3_000 {
              _ = try? await broadcast.publish("x", to: Channel("\((number + publisher) % 4)"))
            }
          }
        }
      }
      let statistics = broadcast.statistics
      #expect(statistics.subscribers == 0 && statistics.channels == 0 && statistics.bytesHeld == 0)
    }
  }

  @Test(
    "a driver that loses its connection at random leaves no caller waiting and no channel behind",
    arguments: [false, true])
  func unreliableDriver(keepsMessages: Bool) async throws {
    let driver = UnreliableDriver(keepsMessages: keepsMessages)
    try await withBroadcast(Hub(driver: driver, configuration: .quick())) { hub in
      await withTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            var random = SeededGenerator(seed: UInt64(worker))
            for _ in 0..<150 {
              let channels = [Channel("\(Int.random(in: 0..<4, using: &random))"), "shared"]
              guard let subscription = try? await hub.subscribe(to: channels) else {
                await Task.yield()
                continue
              }
              _ = try? await hub.publish("x", to: channels[0])
              if Bool.random(using: &random) { subscription.cancel() }
            }
          }
        }
      }
      while !hub.channels.feeds.isEmpty { await Task.yield() }
      #expect(hub.statistics.subscribers == 0)
    }
    #expect(driver.calls.withLock { $0.left } == 0)
  }
}

private func readOne(_ subscription: Subscription) async {
  var iterator = subscription.makeAsyncIterator()
  _ = try? await iterator.next()
}

/// Echoes what is published; its sessions last a moment, and every fifth call fails. One that keeps messages is away for
/// a moment in each, and catches up.
private final class UnreliableDriver: BroadcastDriver {
  let capabilities: Capabilities
  private let random = RandomFailures()

  init(keepsMessages: Bool) { capabilities = Capabilities(mayDeliverEarlierMessages: !keepsMessages) }

  private actor RandomFailures {
    var generator = SeededGenerator(seed: 7)
    var inbox: DriverInbox?
    func set(_ inbox: DriverInbox) { self.inbox = inbox }
    func roll() -> Bool { Int.random(in: 0..<5, using: &generator) == 0 }
  }

  private let failure = BroadcastError(.unavailable, "By chance.", isRetriable: true)

  /// How many calls are under way, and how many of a past session were when one began.
  let calls = Lock((underWay: 0, left: 0))

  private func call() async throws(BroadcastError) {
    calls.withLock { $0.underWay += 1 }
    defer { calls.withLock { $0.underWay -= 1 } }
    for _ in 0..<10 { await Task.yield() }
    if await random.roll() { throw failure }
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    calls.withLock { $0.left += $0.underWay }
    await random.set(inbox)
    inbox.connected()
    // How long a session lasts. Nobody waits for it: it breaks at any moment of what the others do.
    try? await Task.sleep(for: .milliseconds(3))
    if !capabilities.mayDeliverEarlierMessages {
      inbox.suspended(because: failure)
      // How long the broker is away in it. Nobody waits for its end either.
      try? await Task.sleep(for: .milliseconds(1))
      inbox.connected()
      try? await Task.sleep(for: .milliseconds(3))
    }
    throw failure
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) { try await call() }
  func catchUp(with channel: Channel) async throws(BroadcastError) { try await call() }
  func unsubscribe(from channel: Channel) async throws(BroadcastError) { try await call() }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    if await random.roll() { throw failure }
    for message in messages { await random.inbox?.received(message) }
    return messages.map { _ in Receipt() }
  }
}
