//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("Subscriptions on memory")
struct SubscriptionTests {
  @Test("text, bytes and headers arrive as they were published, in order")
  func content() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("one", to: "a")
      try await broadcast.publish([0, 255], to: "a")
      let full = Message("three", to: "a", headers: [.init("x", "1"), .init("x", [2])])
      try await broadcast.publish(full)
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 2) == ["one", "binary:[0, 255]"])
      #expect(try await iterator.next() == .message(full))
    }
  }

  @Test("what was published before, or to another channel, does not arrive")
  func onlyOwn() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let other = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("before", to: "a")
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("elsewhere", to: "b")
      try await broadcast.publish("after", to: "a")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["after"])
      withExtendedLifetime(other) {}
    }
  }

  @Test("equal names of different bytes are different channels")
  func bytesOfNames() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let composed = try await broadcast.subscribe(to: "caf\u{E9}")
      try await broadcast.publish("decomposed", to: "cafe\u{301}")
      try await broadcast.publish("composed", to: "caf\u{E9}")
      var iterator = composed.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["composed"])
    }
  }

  @Test("one subscription reads several channels, each in its order; a name given twice counts once")
  func severalChannels() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ["a", "b", "a"])
      #expect(subscription.channels == ["a", "b"])
      for number in 0..<100 { try await broadcast.publish("\(number)", to: number % 2 == 0 ? "a" : "b") }
      var byChannel: [Channel: [String]] = [:]
      var iterator = subscription.makeAsyncIterator()
      for _ in 0..<100 {
        guard case .message(let message)? = try await iterator.next() else { break }
        byChannel[message.channel, default: []].append(message.text ?? "")
      }
      #expect(byChannel["a"] == stride(from: 0, to: 100, by: 2).map(String.init))
      #expect(byChannel["b"] == stride(from: 1, to: 100, by: 2).map(String.init))
    }
  }

  @Test("a busy channel does not starve a quiet one")
  func fairness() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ["busy", "quiet"])
      for number in 0..<1_000 { try await broadcast.publish("\(number)", to: "busy") }
      try await broadcast.publish("quiet", to: "quiet")
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 300).contains("quiet"))
    }
  }

  @Test("messages published at once arrive as one batch, by channel")
  func batches() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      let receipts = try await broadcast.publish((0..<100).map { Message("\($0)", to: $0 % 2 == 0 ? "a" : "b") })
      #expect(receipts.count == 100)
      var iterator = subscription.batches.makeAsyncIterator()
      let batch = try await iterator.next()
      #expect(batch?.map(text) == stride(from: 0, to: 100, by: 2).map(String.init))
      #expect(try await broadcast.publish([]).isEmpty)
    }
  }

  @Test("a slow reader gets the count of what it missed, then the newest")
  func gap() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(
        to: "a", options: .init(buffer: .dropOldest(maximumMessages: 3)))
      for number in 0..<10 { try await broadcast.publish("\(number)", to: "a") }
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 4) == ["gap:7:slowConsumer", "7", "8", "9"])
      try await broadcast.publish("10", to: "a")
      #expect(try await texts(&iterator, 1) == ["10"])
    }
  }

  @Test("the limit of bytes drops too, and one message over it still arrives")
  func byteLimit() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: 100, maximumBytes: 1_000))
      let subscription = try await broadcast.subscribe(to: "a", options: options)
      for _ in 0..<10 { try await broadcast.publish([UInt8](repeating: 0, count: 400), to: "a") }
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:8:slowConsumer"])
      _ = try await texts(&iterator, 2)
      try await broadcast.publish([UInt8](repeating: 0, count: 5_000), to: "a")
      #expect(try await iterator.next() == .message(Message([UInt8](repeating: 0, count: 5_000), to: "a")))
    }
  }

  @Test("with the policy fail, a full buffer ends the subscription with an error, once")
  func failing() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a", options: .init(buffer: .fail(maximumMessages: 3)))
      for _ in 0..<4 { try await broadcast.publish("x", to: "a") }
      var iterator = subscription.makeAsyncIterator()
      let error = await #expect(throws: BroadcastError.self) { try await iterator.next() }
      #expect(error?.code == .fellBehind)
      #expect(try await iterator.next() == nil)
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("messages(onGap:) leaves gaps out, or throws at one and ends")
  func messagesAlone() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: 1))
      let ignoring = try await broadcast.subscribe(to: "a", options: options)
      let throwing = try await broadcast.subscribe(to: "a", options: options)
      for number in 0..<3 { try await broadcast.publish("\(number)", to: "a") }
      var one = ignoring.messages().makeAsyncIterator()
      #expect(try await one.next()?.text == "2")
      var two = throwing.messages(onGap: .throw).makeAsyncIterator()
      let error = await #expect(throws: BroadcastError.self) { try await two.next() }
      #expect(error?.code == .missedMessages)
      #expect(try await two.next() == nil)
    }
  }

  @Test("a second iterator throws at its first element, and the first goes on")
  func oneReader() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("1", to: "a")
      try await broadcast.publish("2", to: "a")
      var one = subscription.makeAsyncIterator()
      var two = subscription.makeAsyncIterator()
      #expect(try await texts(&one, 1) == ["1"])
      let error = await #expect(throws: BroadcastError.self) { try await two.next() }
      #expect(error?.code == .alreadyIterating)
      #expect(throws: BroadcastError.self) { try subscription.setWakeUp {} }
      #expect(try await texts(&one, 1) == ["2"])
    }
  }
}
