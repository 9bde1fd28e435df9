//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

/// 100 readers begin wherever they like while 10,000 messages pass, and the lines to the server are cut three times.
@Suite(
  "Many who join while messages pour in", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct JoiningReadersTests {
  private static let messages = 10_000
  private static let readers = 100
  private static let channel: Channel = "chat"
  /// No reader is ever so far behind.
  private static let buffer = BufferPolicy.dropOldest(maximumMessages: messages, maximumBytes: 16 << 20)

  /// How many are published, and where each is.
  private final class Progress: Sendable {
    private let published = Lock<[MessagePosition]>([])

    func append(_ positions: [MessagePosition]) { published.withLock { $0 += positions } }
    var positions: [MessagePosition] { published.withLock { $0 } }
    var count: Int { published.withLock { $0.count } }
  }

  @Test("each sees every message from its beginning on, once, in order, and no gap", arguments: [1, 2, 3])
  func join(seed: UInt64) async throws {
    let broker = Broker.redisHistory(of: 20_000)
    try await broker.withProxy { server, proxy in
      let events = Events()
      let progress = Progress()
      try await withThrowingTaskGroup(of: Void.self) { group in
        let direct = server.url(port: server.port)
        let proxied = server.url(port: proxy.port)
        let broadcasts = try [direct, direct, proxied, proxied].map { try broker.open($0, events) }
        for broadcast in broadcasts {
          group.addTask {
            do { try await broadcast.run() } catch let error as BroadcastError where error.code == .cancelled {}
          }
        }
        try await withThrowingTaskGroup(of: Void.self) { readers in
          var generator = SeededGenerator(seed: seed)
          for reader in 0..<Self.readers {
            let begin = Int.random(in: 1..<Self.messages, using: &generator)
            let choice = UInt64.random(in: 0 ... .max, using: &generator)
            readers.addTask {
              try await Self.read(
                broadcasts[2 + reader % 2], progress, from: begin, choice, "reader \(reader), seed \(seed)")
            }
          }
          readers.addTask { try await Self.publish(broadcasts[0], broadcasts[1], progress, proxy) }
          try await readers.waitForAll()
        }
        #expect(events.count(.connectionLost) >= 6)
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  /// Two broadcasts publish by turns.
  private static func publish(
    _ one: any Broadcast, _ other: any Broadcast, _ progress: Progress, _ proxy: FaultyProxy
  ) async throws {
    let size = 20
    for first in stride(from: 0, to: messages, by: size) {
      if first > 0, first % 2_500 == 0 { await proxy.cut() }
      let broadcast = first % (2 * size) == 0 ? one : other
      progress.append(try await Broker.publish(first..<first + size, to: channel, of: broadcast))
    }
  }

  /// Joins when so many are published, and reads to the end.
  private static func read(
    _ broadcast: any Broadcast, _ progress: Progress, from begin: Int, _ choice: UInt64, _ name: String
  ) async throws {
    try await settle { progress.count >= begin }
    let positions = progress.positions
    let (isAfter, number) = (choice % 2 == 0, Int(choice / 2 % 2_000))
    let index = number % (positions.count - 1)
    let start = isAfter ? SubscriptionStart.after(positions[index]) : .last(1 + number)
    let subscription = try await subscribe(broadcast, start)
    #expect(subscription.recovered, "\(name), \(start)")
    var deliveries = subscription.makeAsyncIterator()
    let heard = try await deliveries.heard(until: messages - 1)
    let first = isAfter ? index + 1 : messages - heard.count
    let wrong = zip(heard, first..<messages).first { $0 != .number($1) }
    #expect(heard.count == messages - first && wrong == nil, "\(name), \(start): \(wrong.map { "\($0)" } ?? "")")
    // Of the last ones there are as many as were asked for, if there were so many.
    if !isAfter { #expect(heard.count >= min(1 + number, positions.count), "\(name), \(start)") }
    let recovery = try #require(subscription.recovery(of: channel))
    let head = try #require(recovery.head)
    #expect(recovery.messages + messages - Int(head.offset) == heard.count, "\(name), \(start)")
  }

  /// A cut line refuses who comes at this moment.
  private static func subscribe(_ broadcast: any Broadcast, _ start: SubscriptionStart) async throws -> Subscription {
    while true {
      do {
        return try await broadcast.subscribe(to: [channel], options: .init(buffer: buffer, start: start))
      } catch {
        guard error.isRetriable else { throw error }
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }
}
