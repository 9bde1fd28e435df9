//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

/// Readers join while messages pour in, and the server is killed three times, and has its data again.
@Suite(
  "Many who join while the server is killed", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(3)))
struct RestartedServerTests {
  private static let channel: Channel = "chat"
  private static let readers = 60

  private final class Published: Sendable {
    private let state = Lock((positions: [MessagePosition](), isEnding: false))

    /// Of all messages that were published for certain.
    var positions: [MessagePosition] { state.withLock { $0.positions } }
    var count: Int { state.withLock { $0.positions.count } }
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func append(_ position: MessagePosition) { state.withLock { $0.positions.append(position) } }
    func end() { state.withLock { $0.isEnding = true } }
  }

  @Test(
    "each sees all that was published, once and in order, and a gap for each kill where it begins a new epoch",
    arguments: [Broker.redisWithData, .redisWithoutLoss])
  func killed(broker: Broker) async throws {
    let published = Published()
    try await broker.withServer { server in
      let events = Events()
      try await withThrowingTaskGroup(of: Void.self) { group in
        let broadcasts = try (0..<3).map { _ in try broker.open(server.url(port: server.port), events) }
        for broadcast in broadcasts {
          group.addTask {
            do { try await broadcast.run() } catch let error as BroadcastError where error.code == .cancelled {}
          }
        }
        let heard = try await withThrowingTaskGroup(of: (MessagePosition, [Delivery]).self) { readers in
          for reader in 0..<Self.readers {
            readers.addTask { try await Self.read(broadcasts[1 + reader % 2], from: 2 + reader * 20, published) }
          }
          async let publishing: Void = Self.publish(broadcasts[0], published)
          for number in 1...3 {
            try await settle { published.count > number * 300 }
            try await server.kill()
            try await server.start()
          }
          try await settle { published.count > 1_400 }
          published.end()
          try await publishing
          return try await readers.reduce(into: []) { $0.append($1) }
        }
        let positions = published.positions
        for (start, deliveries) in heard {
          #expect(Self.faults(in: deliveries, after: start, positions, mayRestart: broker.hasHistories).prefix(5) == [])
        }
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  /// Publishes one after the other. What fails because the server is away may have been published, or not.
  private static func publish(_ broadcast: any Broadcast, _ published: Published) async throws {
    var hasEnded = false
    while !hasEnded {
      let isLast = published.isEnding
      do {
        let receipt = try await broadcast.publish(isLast ? "end" : "a message", to: channel)
        published.append(try #require(receipt.position))
        hasEnded = isLast
      } catch let error as BroadcastError {
        guard error.isRetriable else { throw error }
        // Between two attempts: it is refused at once while the server is away.
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  /// Joins behind any message when so many are published, and reads to the end.
  private static func read(
    _ broadcast: any Broadcast, from begin: Int, _ published: Published
  ) async throws -> (MessagePosition, [Delivery]) {
    try await settle { published.count >= begin }
    let positions = published.positions
    let start = positions[begin * 7 % (positions.count - 1)]
    while true {
      do {
        let subscription = try await broadcast.subscribe(to: channel, from: .after(start))
        var deliveries: [Delivery] = []
        for try await delivery in subscription {
          deliveries.append(delivery)
          if case .message(let message) = delivery, message.text == "end" { break }
        }
        return (start, deliveries)
      } catch {
        guard error.isRetriable else { throw error }
        // Between two attempts: it is refused at once while the server is away.
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  /// Where a reader got something else than it must have.
  private static func faults(
    in deliveries: [Delivery], after start: MessagePosition, _ published: [MessagePosition], mayRestart: Bool
  ) -> [String] {
    var last = start
    var hasGap = false
    var seen: Set<MessagePosition> = []
    var faults: [String] = []
    for delivery in deliveries {
      switch delivery {
      case .gap(let gap) where gap.reason == .historyRestarted && gap.missed == nil && mayRestart: hasGap = true
      case .gap: faults.append("behind \(last): \(delivery)")
      case .message(let message):
        guard let position = message.position else { return faults + ["\(message) has no position"] }
        let isNext = position == last.next && !hasGap
        let isNew = hasGap && position.epoch > last.epoch && position.offset == 1
        if !isNext, !isNew { faults.append("behind \(last)\(hasGap ? " and a gap" : ""): \(position)") }
        (last, hasGap) = (position, false)
        seen.insert(position)
      }
    }
    let missing = published.filter {
      ($0.epoch, $0.offset) > (start.epoch, start.offset) && !seen.contains($0)
    }
    return faults + missing.map { "\($0) is missing behind \(start)" }
  }
}
