//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  /// Of these more are published than are kept, if the backend is configured as the suite says.
  private static let published = 120

  func checkHistory(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel("history")
    guard broadcast.capabilities.hasHistory else { return try await checkRefusedHistory(broadcast, channel) }
    let empty = try await broadcast.history(of: channel)
    try expect(
      empty.messages.isEmpty && empty.isComplete && !empty.hasMore,
      "The history of a channel without messages is \(empty).")
    let messages = try await publish(Self.published, to: channel, broadcast)
    let kept = try await keptMessages(of: channel, messages, broadcast)
    try await checkPages(of: channel, kept, broadcast)
    let head = messages.last?.position
    let live = try await broadcast.history(of: channel, from: .live, limit: 10)
    try expect(live.messages.isEmpty && live.head == head, "Asked for the head alone, the history gave \(live).")
    let binary = try await publish([Message([0, 255], to: channel), Message("", to: channel)], broadcast)
    try expect(
      try await broadcast.history(of: channel, limit: 2).messages == binary,
      "A binary and an empty message are not in the history as they were published.")
  }

  private func checkRefusedHistory(_ broadcast: any Broadcast, _ channel: Channel) async throws {
    try await expectFailure(.unsupportedHistory, of: "Asking for a history that nobody keeps") {
      _ = try await broadcast.history(of: channel)
    }
    for start in [SubscriptionStart.last(1), .after(.beginning)] {
      try await expectFailure(.unsupportedHistory, of: "Beginning with a history that nobody keeps") {
        _ = try await broadcast.subscribe(to: channel, from: start)
      }
    }
  }

  /// What the channel has kept of all that was published to it.
  private func keptMessages(
    of channel: Channel, _ messages: [Message], _ broadcast: any Broadcast
  ) async throws -> [Message] {
    let history = try await broadcast.history(of: channel, limit: History.maximumMessages)
    try expect(
      !history.messages.isEmpty && history.messages == messages.suffix(history.messages.count),
      "The history is not the last of what was published: \(history.messages).")
    if let policy = broadcast.historyPolicy(of: channel) {
      let expected = min(messages.count, policy.maximumMessages)
      try expect(
        history.messages.count == expected,
        "The history has \(history.messages.count) messages, where \(expected) were to be kept.")
    }
    try expect(
      history.head == messages.last?.position, "The head of the history is \(String(describing: history.head)).")
    return history.messages
  }

  private func checkPages(of channel: Channel, _ kept: [Message], _ broadcast: any Broadcast) async throws {
    guard let first = kept.first?.position else { return }
    let five = try await broadcast.history(of: channel, from: .last(5), limit: 100)
    try expect(five.messages == kept.suffix(5) && five.isComplete, "The last five messages are \(five.messages).")
    var next = SubscriptionStart.after(first)
    var read: [Message] = []
    while true {
      let page = try await broadcast.history(of: channel, from: next, limit: 7)
      try expect(page.messages.count <= 7 && page.isComplete, "Of at most 7 messages came \(page).")
      read += page.messages
      if !page.hasMore { break }
      next = page.next
    }
    try expect(read == Array(kept.dropFirst()), "Read in pages, the history is \(read).")
  }

  // MARK: Beginning with the past

  func checkRecovery(_ broadcast: any Broadcast) async throws {
    guard broadcast.capabilities.hasHistory else { return }
    let channel = freshChannel("history")
    var all = try await publish(Self.published, to: channel, broadcast)
    let kept = try await keptMessages(of: channel, all, broadcast)
    guard let first = all.first?.position, let oldest = kept.first?.position, let head = all.last?.position else {
      return
    }
    let middle = MessagePosition(epoch: head.epoch, offset: (oldest.offset + head.offset) / 2)
    let foreign = MessagePosition(epoch: head.epoch - 1, offset: 7)
    let starts: [SubscriptionStart] = [
      .last(0), .last(10), .last(100_000), .after(middle), .after(head), .after(first), .after(.beginning),
      .after(foreign), .after(MessagePosition(epoch: head.epoch, offset: head.offset + 1_000)),
    ]
    for start in starts {
      let past = try await keptMessages(of: channel, all, broadcast)
      let subscription = try await broadcast.subscribe(to: channel, from: start)
      let live = try await publish([Message("live", to: channel)], broadcast)
      try await checkBeginning(of: subscription, start, past, all, live)
      all += live
    }
  }

  private func checkBeginning(
    of subscription: Subscription, _ start: SubscriptionStart, _ past: [Message], _ all: [Message], _ live: [Message]
  ) async throws {
    guard let head = all.last?.position, let oldest = past.first?.position else { return }
    var expected = past
    var missed: Int?
    var isComplete = true
    switch start.value {
    case .live: expected = []
    case .last(let count): expected = past.suffix(count)
    case .after(let position) where position.epoch == head.epoch && position.offset <= head.offset:
      expected = past.filter { ($0.position?.offset ?? 0) > position.offset }
      if position.offset + 1 < oldest.offset { missed = Int(oldest.offset - position.offset - 1) }
      isComplete = missed == nil
    case .after(.beginning):
      if oldest.offset > 1 { missed = Int(oldest.offset - 1) }
      isComplete = missed == nil
    case .after: isComplete = false
    }
    let recovery = subscription.recovery(of: live[0].channel)
    try expect(
      subscription.recovered == isComplete
        && recovery == Recovery(isComplete: isComplete, messages: expected.count, head: head),
      "Begun \(start), a subscription says of itself \(String(describing: recovery)); \(expected.count) messages were kept."
    )
    var iterator = subscription.makeAsyncIterator()
    if !isComplete {
      let gap = try await iterator.read(1)[0]
      guard case .gap(let gap) = gap, gap.missed == missed else {
        throw Broken("Begun \(start), a subscription gave \(gap), where a gap of \(missed ?? 0) messages had to be.")
      }
    }
    let messages = try await iterator.messages(expected.count + 1)
    try expect(messages == expected + live, "Begun \(start), a subscription gave \(messages).")
  }

  // MARK: Joining while messages pour in

  func checkJoining(_ broadcast: any Broadcast) async throws {
    guard broadcast.capabilities.hasHistory else { return }
    let channel = freshChannel("history")
    let count = 2_000
    let latest = try await publish([Message("0", to: channel)], broadcast)[0].position
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // Several at a time, so that a broker that is far away takes no longer than the chapter may.
        for first in stride(from: 1, to: count, by: 20) {
          try await broadcast.publish((first..<min(first + 20, count)).map { Message("\($0)", to: channel) })
        }
      }
      for reader in 0..<8 {
        group.addTask {
          // One at least, for who comes when the last has been published.
          var start = SubscriptionStart.last(1 + reader * 5)
          if reader % 2 == 1, let latest { start = .after(latest) }
          let buffer = BufferPolicy.fail(maximumMessages: count)
          let subscription = try await broadcast.subscribe(to: channel, from: start, buffer: buffer)
          try await self.read(subscription, from: reader % 2 == 1 ? 1 : nil, to: count - 1)
        }
      }
      try await group.waitForAll()
    }
  }

  /// Numbers come one after the other, or there is a gap that counts those which the history no longer had.
  private func read(_ subscription: Subscription, from first: Int?, to last: Int) async throws {
    var expected = first
    var isFirst = true
    for try await delivery in subscription {
      switch delivery {
      case .gap(let gap):
        guard let missed = gap.missed, isFirst else { throw Broken("A reader who joined got \(gap).") }
        expected = 1 + missed
      case .message(let message):
        guard let number = message.text.flatMap({ Int($0) }) else {
          throw Broken("A message is no number: \(message).")
        }
        try expect(
          expected == nil || number == expected, "A reader who joined got \(number), and not \(expected ?? 0).")
        if number == last { return }
        expected = number + 1
      }
      isFirst = false
    }
    throw Broken("The subscription ended in front of \(last).")
  }

  // MARK: Publishing

  /// Publishes numbers. Returns them with their positions.
  private func publish(_ count: Int, to channel: Channel, _ broadcast: any Broadcast) async throws -> [Message] {
    try await publish((0..<count).map { Message("\($0)", to: channel) }, broadcast)
  }

  private func publish(_ messages: [Message], _ broadcast: any Broadcast) async throws -> [Message] {
    var positioned: [Message] = []
    for message in messages {
      guard let position = try await broadcast.publish(message).position else {
        throw Broken(
          "A receipt has no position. The broadcast has to keep a history of the channels \"conformance.history.*\", of 50 messages."
        )
      }
      if let last = positioned.last?.position {
        try expect(position == last.next, "After the position \(last) came \(position).")
      }
      positioned.append(message.at(position))
    }
    return positioned
  }
}

extension Message {
  fileprivate func at(_ position: MessagePosition) -> Message {
    if let text { return Message(text, to: channel, headers: headers, position: position) }
    return Message(payload, to: channel, headers: headers, position: position)
  }
}
