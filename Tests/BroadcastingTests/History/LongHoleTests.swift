//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Holes that are longer than a buffer", .timeLimit(.minutes(2)))
struct LongHoleTests {
  private func withHub(
    _ broker: LoggedBroker, keeping maximumMessages: Int, _ body: (Hub) async throws -> Void
  ) async throws {
    var configuration = HubConfiguration.quick()
    configuration.history = [.init("*", HistoryPolicy(maximumMessages: maximumMessages, maximumBytes: 1 << 24))]
    try await withBroadcast(Hub(driver: LoggedDriver(broker), configuration: configuration), body)
  }

  private func message(_ number: Int) -> Message { Message("\(number)", to: "a") }

  private func subscribe(_ hub: Hub, _ messages: Int) async throws -> Subscription {
    try await hub.subscribe(to: "a", from: .live, buffer: .dropOldest(maximumMessages: messages))
  }

  private func waitUntilFilled(_ hub: Hub, _ count: Int) async {
    // Between two looks, so that the hub gets a turn.
    while hub.statistics.filled < count { try? await Task.sleep(for: .milliseconds(1)) }
  }

  @Test("readers get all of it, whatever their buffers hold and however much they have not read yet")
  func all() async throws {
    let broker = LoggedBroker(maximumMessages: 5_000)
    try await withHub(broker, keeping: 5_000) { hub in
      let readers = [
        try await subscribe(hub, 10), try await subscribe(hub, 300), try await subscribe(hub, 1_000),
        try await subscribe(hub, 100_000), try await hub.subscribe(to: "a", from: .last(5)),
      ]
      // Five that nobody reads before the line breaks.
      for number in 0..<5 { _ = try await hub.publish(message(number)) }
      await broker.cut(publishing: (5..<3_000).map(message))
      await waitUntilFilled(hub, 2_995)
      // What comes then is live.
      for number in 3_000..<3_010 { _ = try await hub.publish(message(number)) }
      for reader in readers {
        var iterator = reader.makeAsyncIterator()
        #expect(try await texts(&iterator, 3_010) == (0..<3_010).map(String.init))
      }
      #expect(hub.statistics.dropped == 0)
      // All have read all, so nothing but what the channel keeps is held.
      #expect(hub.statistics.historyMessages == 3_010)
    }
  }

  @Test("who was behind before stays so, and hears it")
  func slow() async throws {
    let broker = LoggedBroker(maximumMessages: 5_000)
    try await withHub(broker, keeping: 5_000) { hub in
      let slow = try await subscribe(hub, 10)
      let other = try await subscribe(hub, 100)
      for number in 0..<50 { _ = try await hub.publish(message(number)) }
      await broker.cut(publishing: (50..<1_000).map(message))
      await waitUntilFilled(hub, 950)
      var iterator = slow.makeAsyncIterator()
      #expect(try await texts(&iterator, 11) == ["gap:990:slowConsumer"] + (990..<1_000).map(String.init))
      iterator = other.makeAsyncIterator()
      #expect(try await texts(&iterator, 1_000) == (0..<1_000).map(String.init))
    }
  }

  @Test("a reader who reads nothing holds no more than the history and its buffer, however often the line breaks")
  func bounded() async throws {
    let broker = LoggedBroker(maximumMessages: 500)
    try await withHub(broker, keeping: 500) { hub in
      let reader = try await subscribe(hub, 10)
      var number = 0
      for round in 1...10 {
        await broker.cut(publishing: (number..<number + 400).map(message))
        number += 400
        await waitUntilFilled(hub, 400 * round)
      }
      #expect(hub.statistics.bytesHeld < 400_000)
      var iterator = reader.makeAsyncIterator()
      var numbers: [Int] = []
      var missed = 0
      while numbers.last != number - 1, let delivery = try await iterator.next() {
        switch delivery {
        case .message(let message): numbers.append(Int(message.text ?? "") ?? -1)
        case .gap(let gap):
          #expect(gap.reason == .slowConsumer)
          missed += gap.missed ?? 0
        }
      }
      #expect(numbers == numbers.sorted() && numbers.count + missed == number)
      #expect(numbers.count >= 500 && numbers.count <= 500 + 256 + 20 + 400)
    }
  }
}
