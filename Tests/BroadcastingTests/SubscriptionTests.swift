//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

/// The texts of the next deliveries; a gap is "gap:" and its count.
func texts(_ iterator: inout Subscription.Iterator, _ count: Int) async throws -> [String] {
  var texts: [String] = []
  while texts.count < count, let delivery = try await iterator.next() { texts.append(text(delivery)) }
  return texts
}

func text(_ delivery: Delivery) -> String {
  switch delivery {
  case .message(let message): message.text ?? "binary:\(message.payload)"
  case .gap(let gap): "gap:\(gap.missed.map(String.init) ?? "?"):\(gap.reason)"
  }
}

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

@Suite("The end of a subscription")
struct SubscriptionEndTests {
  @Test("dropping it unsubscribes and frees its buffer")
  func dropping() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var subscription: Subscription? = try await broadcast.subscribe(to: ["a", "b"])
      try await broadcast.publish("x", to: "a")
      #expect(subscription != nil)
      #expect(broadcast.statistics.subscribers == 2)
      #expect(broadcast.statistics.bytesHeld > 0)
      subscription = nil
      #expect(broadcast.statistics.subscribers == 0)
      #expect(broadcast.statistics.channels == 0)
      #expect(broadcast.statistics.bytesHeld == 0)
    }
  }

  @Test("an iterator keeps its subscription alive")
  func temporary() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var iterator = try await broadcast.subscribe(to: "a").makeAsyncIterator()
      try await broadcast.publish("x", to: "a")
      #expect(try await texts(&iterator, 1) == ["x"])
    }
  }

  @Test("cancel() wakes the reader, who gets nil, and drops what was unread")
  func cancelling() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      async let delivery = subscription.first { _ in true }
      subscription.cancel()
      subscription.cancel()
      #expect(try await delivery == nil)
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("a cancelled task's reading ends with nil, asleep or not, and unsubscribes")
  func cancelledTask() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      for _ in 0..<200 {
        let subscription = try await broadcast.subscribe(to: "a")
        let end = try await withThrowingTaskGroup(of: Delivery?.self) { group in
          group.addTask {
            for try await delivery in subscription { return delivery }
            return nil
          }
          if Bool.random() { await Task.yield() }
          group.cancelAll()
          return try await group.next()
        }
        #expect(end == .some(nil))
        #expect(broadcast.statistics.subscribers == 0)
      }
    }
  }

  @Test("what a reader has at hand ends too: at once with cancel(), within 16 deliveries with its task")
  func atHand() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: ["a", "b"])
      try await broadcast.publish((0..<100).map { Message("\($0)", to: "a") })
      var iterator = subscription.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["0"])
      subscription.cancel()
      #expect(try await iterator.next() == nil)

      let other = try await broadcast.subscribe(to: "a")
      try await broadcast.publish((0..<100).map { Message("\($0)", to: "a") })
      let more = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask {
          var count = 0
          for try await _ in other {
            withUnsafeCurrentTask { $0?.cancel() }
            count += 1
          }
          return count
        }
        return try await group.next()
      }
      #expect((1...16).contains(more ?? 0))
    }
  }

  @Test("withSubscription ends it however it is left")
  func scope() async throws {
    struct Stop: Error {}
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      var escaped: Subscription?
      let result = try await broadcast.withSubscription(to: "a") { subscription in
        escaped = subscription
        #expect(broadcast.statistics.subscribers == 1)
        return 7
      }
      #expect(result == 7)
      #expect(broadcast.statistics.subscribers == 0)
      #expect(try await escaped?.first { _ in true } == nil)
      await #expect(throws: Stop.self) { try await broadcast.withSubscription(to: ["a", "b"]) { _ in throw Stop() } }
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("withSubscription stays where its caller is")
  func isolation() async throws {
    actor Screen {
      var lines: [String] = []
      func show(_ broadcast: MemoryBroadcast) async throws -> [String] {
        try await broadcast.withSubscription(to: "a") { subscription in
          try await broadcast.publish("x", to: "a")
          for try await delivery in subscription {
            lines.append(text(delivery))
            break
          }
        }
        return lines
      }
    }
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let lines = try await Screen().show(broadcast)
      #expect(lines == ["x"])
    }
  }

  @Test("the end of run() lets readers have what is buffered, then ends them all")
  func endOfRun() async throws {
    let broadcast = MemoryBroadcast()
    let (asleep, buffered) = try await withBroadcast(broadcast) { broadcast in
      let buffered = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("x", to: "a")
      return (try await broadcast.subscribe(to: "b"), buffered)
    }
    #expect(try await asleep.first { _ in true } == nil)
    var iterator = buffered.makeAsyncIterator()
    #expect(try await texts(&iterator, 2) == ["x"])
    #expect(broadcast.statistics.subscribers == 0)
    let error = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "a") }
    #expect(error?.code == .notRunning && error?.outcome == .notSent)
    let other = await #expect(throws: BroadcastError.self) { try await broadcast.subscribe(to: "a") }
    #expect(other?.code == .notRunning)
  }

  @Test("the end of run() wakes those who sleep")
  func endWakes() async throws {
    let broadcast = MemoryBroadcast()
    try await withThrowingTaskGroup(of: Int.self) { group in
      let subscriptions = try await withBroadcast(broadcast) { broadcast in
        var subscriptions: [Subscription] = []
        for _ in 0..<20 { subscriptions.append(try await broadcast.subscribe(to: ["a", "b"])) }
        for subscription in subscriptions {
          group.addTask {
            var count = 0
            for try await _ in subscription { count += 1 }
            return count
          }
        }
        try await broadcast.publish("x", to: "a")
        return subscriptions
      }
      for try await count in group { #expect(count == 1) }
      withExtendedLifetime(subscriptions) {}
    }
  }
}
