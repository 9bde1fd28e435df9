//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

/// 100 readers begin wherever they like while messages pass, and the lines on which they listen are cut three times.
@Suite(
  "Many who join while messages pour in", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct JoiningReadersTests {
  @Test("each sees every message from its beginning on, once, in order, and no gap", arguments: [1, 2, 3])
  func all(seed: UInt64) async throws {
    try await Crush(messages: 10_000, seed: seed).run(on: .redisHistory(of: 20_000)) { _, proxy in await proxy.cut() }
  }

  @Test("what is kept no more is a gap that counts it, and nothing else is missing", arguments: [4, 5])
  func trimmed(seed: UInt64) async throws {
    var crush = Crush(messages: 10_000, seed: seed)
    crush.isTrimmed = true
    try await crush.run(on: .redisHistory(of: 50)) { _, proxy in await proxy.cut() }
  }

  @Test("the same over a server of ours that is replaced each time")
  func served() async throws {
    let broker = ServedBroker.broker(on: .redisHistory, history: "*=20000,64MiB")
    try await Crush(messages: 3_000, seed: 6).run(on: broker) { server, _ in try await server.endConnections() }
  }
}

/// Readers who come at random moments, by two broadcasts, while two others publish.
private struct Crush {
  private static let readers = 100
  private static let channel: Channel = "chat"
  /// No reader is ever so far behind.
  private static let buffer = BufferPolicy.dropOldest(maximumMessages: 20_000, maximumBytes: 16 << 20)

  var messages: Int
  var seed: UInt64
  /// Whether fewer are kept than readers ask for.
  var isTrimmed = false
  private let published = Published()

  /// Where each message is that was published.
  private final class Published: Sendable {
    private let published = Lock<[MessagePosition]>([])

    func append(_ positions: [MessagePosition]) { published.withLock { $0 += positions } }
    var positions: [MessagePosition] { published.withLock { $0 } }
    var count: Int { published.withLock { $0.count } }
  }

  init(messages: Int, seed: UInt64) {
    self.messages = messages
    self.seed = seed
  }

  func run(
    on broker: Broker, cut: @escaping @Sendable (any BrokerServer, FaultyProxy) async throws -> Void
  ) async throws {
    try await broker.withProxy { server, proxy in
      let events = Events()
      try await withThrowingTaskGroup(of: Void.self) { group in
        let urls = [server.witnessURL, server.witnessURL, server.url(port: proxy.port), server.url(port: proxy.port)]
        let broadcasts = try urls.map { try broker.open($0, events) }
        for broadcast in broadcasts {
          group.addTask {
            do { try await broadcast.run() } catch let error as BroadcastError where error.code == .cancelled {}
          }
        }
        try await withThrowingTaskGroup(of: Void.self) { readers in
          var generator = SeededGenerator(seed: seed)
          for reader in 0..<Self.readers {
            let begin = Int.random(in: 1..<messages, using: &generator)
            let choice = UInt64.random(in: 0 ... .max, using: &generator)
            readers.addTask { try await read(broadcasts[2 + reader % 2], from: begin, choice) }
          }
          readers.addTask { try await publish(broadcasts[0], broadcasts[1]) }
          readers.addTask {
            for number in 0..<3 {
              // Lost before, and back again.
              try await settle {
                published.count > (number + 1) * messages / 4 && events.count(.connectionLost) >= number * 2
                  && broadcasts[2...].allSatisfy { $0.statistics.isAvailable }
              }
              try await cut(server, proxy)
            }
          }
          try await readers.waitForAll()
        }
        try await settle { events.count(.connectionLost) >= 6 }
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  /// Two broadcasts publish by turns.
  private func publish(_ one: any Broadcast, _ other: any Broadcast) async throws {
    let size = 20
    for first in stride(from: 0, to: messages, by: size) {
      let broadcast = first % (2 * size) == 0 ? one : other
      published.append(try await Broker.publish(first..<first + size, to: Self.channel, of: broadcast))
    }
  }

  /// Joins when so many are published, and reads to the end.
  private func read(_ broadcast: any Broadcast, from begin: Int, _ choice: UInt64) async throws {
    try await settle { published.count >= begin }
    let positions = published.positions
    let (isAfter, number) = (choice % 2 == 0, Int(choice / 2 % 2_000))
    let index = number % (positions.count - 1)
    let start = isAfter ? SubscriptionStart.after(positions[index]) : .last(1 + number)
    let name = "\(start), joined behind \(positions.count), seed \(seed)"
    let subscription = try await subscribe(broadcast, start)
    let recovery = try #require(subscription.recovery(of: Self.channel))
    let head = try #require(recovery.head)
    #expect(recovery.isComplete == subscription.recovered)
    #expect(recovery.isComplete || isAfter && isTrimmed, "\(name)")
    var deliveries = subscription.makeAsyncIterator()
    let heard = try await deliveries.heard(until: messages - 1)
    let end = heard.lastIndex { if case .number(let number) = $0 { number < head.offset } else { false } } ?? -1
    let past = heard[...end]
    #expect(past.count { $0.isNumber } == recovery.messages, "\(name)")
    // A gap behind the last of them may also be one of a cut line.
    let isComplete = past.allSatisfy { $0.isNumber } && (recovery.isComplete || heard[end + 1].isNumber)
    #expect(recovery.isComplete == isComplete, "\(name)")
    if let fault = fault(in: heard, from: isAfter ? index + 1 : nil) { Issue.record("\(name): \(fault)") }
    // Of the last ones there are as many as were asked for, if there were so many.
    if !isAfter, !isTrimmed { #expect(heard.count >= min(1 + number, positions.count), "\(name)") }
  }

  /// Where a reader got something else than it must have.
  private func fault(in heard: [Heard], from first: Int?) -> String? {
    var expected = first
    for (index, one) in heard.enumerated() {
      switch one {
      case .number(let number) where expected == nil || number == expected: expected = number + 1
      case .gap(.historyTrimmed, let missed?) where isTrimmed && expected != nil: expected? += missed
      default:
        return "\(heard[max(0, index - 3)..<min(heard.count, index + 3)]), where \(expected ?? -1) had to come"
      }
    }
    return nil
  }

  /// A cut line refuses who comes at this moment.
  private func subscribe(_ broadcast: any Broadcast, _ start: SubscriptionStart) async throws -> Subscription {
    while true {
      do {
        return try await broadcast.subscribe(to: [Self.channel], options: .init(buffer: Self.buffer, start: start))
      } catch {
        guard error.isRetriable else { throw error }
      }
      // Between two attempts: it is refused at once while the line is cut.
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
