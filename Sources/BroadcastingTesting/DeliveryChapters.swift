//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  func checkPromptness(_ broadcast: any Broadcast) async throws {
    for _ in 0..<30 {
      let channel = freshChannel()
      let subscription = try await broadcast.subscribe(to: channel)
      try await broadcast.publish("first", to: channel)
      try await broadcast.publish("second", to: channel)
      var iterator = subscription.makeAsyncIterator()
      let texts = try await iterator.messages(2).map(\.text)
      try expect(texts == ["first", "second"], "What was published after `subscribe` returned arrived as \(texts).")
    }
  }

  func checkEarlierMessages(_ broadcast: any Broadcast) async throws {
    guard !broadcast.capabilities.mayDeliverEarlierMessages else { return }
    let channel = freshChannel()
    let early = try await broadcast.subscribe(to: channel)
    for number in 0..<30 {
      try await broadcast.publish("before \(number)", to: channel)
      let subscription = try await broadcast.subscribe(to: channel)
      try await broadcast.publish("after \(number)", to: channel)
      var iterator = subscription.makeAsyncIterator()
      let text = try await iterator.messages(1)[0].text
      try expect(text == "after \(number)", "\"\(text ?? "")\" arrived, which was published before `subscribe`.")
    }
    withExtendedLifetime(early) {}
  }

  func checkOrder(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let subscription = try await broadcast.subscribe(to: channel)
    var iterator = subscription.makeAsyncIterator()
    for round in 0..<10 {
      let numbers = (round * 50)..<(round * 50 + 50)
      let receipts = try await broadcast.publish(numbers.map { Message("\($0)", to: channel) })
      try expect(receipts.count == 50, "50 messages published at once got \(receipts.count) receipts.")
      for number in 0..<10 { try await broadcast.publish("single \(number)", to: channel) }
      let texts = try await iterator.messages(60).map { $0.text ?? "" }
      let expected = numbers.map(String.init) + (0..<10).map { "single \($0)" }
      try expect(texts == expected, "One publisher's messages arrived as \(texts).")
    }
    // Brokers have been seen to merge equal ones.
    try await broadcast.publish(["x", "y", "x", "x"].map { Message($0, to: channel) })
    let texts = try await iterator.messages(4).map(\.text)
    try expect(texts == ["x", "y", "x", "x"], "The messages x, y, x, x arrived as \(texts).")
  }

  func checkCommonOrder(_ broadcast: any Broadcast) async throws {
    guard broadcast.capabilities.ordering == .perChannel else { return }
    let channel = freshChannel()
    var iterators: [Subscription.Iterator] = []
    for _ in 0..<3 { iterators.append(try await broadcast.subscribe(to: channel).makeAsyncIterator()) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for publisher in 0..<4 {
        group.addTask {
          for number in 0..<50 { try await broadcast.publish("\(publisher).\(number)", to: channel) }
        }
      }
      try await group.waitForAll()
    }
    let first = try await iterators[0].messages(200).map(\.text)
    for index in 1..<iterators.count {
      let other = try await iterators[index].messages(200).map(\.text)
      try expect(other == first, "Two subscribers saw two orders.")
    }
  }

  func checkGaps(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let slow = try await broadcast.subscribe(
      to: channel, options: .init(buffer: .dropOldest(maximumMessages: 10)))
    let failing = try await broadcast.subscribe(to: channel, options: .init(buffer: .fail(maximumMessages: 10)))
    let patient = try await broadcast.subscribe(to: channel)
    for number in 0..<100 { try await broadcast.publish("\(number)", to: channel) }
    var others = patient.makeAsyncIterator()
    // When the patient one has them all, all of them have arrived.
    _ = try await others.messages(100)
    var iterator = slow.makeAsyncIterator()
    let deliveries = try await iterator.read(11)
    guard case .gap(let gap) = deliveries[0] else {
      throw Broken("A slow reader got \(deliveries[0]) where a gap had to be.")
    }
    try expect(gap.missed == 90, "The gap says \(gap), where 90 messages were missed.")
    let numbers = deliveries.dropFirst().map { delivery -> String in
      if case .message(let message) = delivery { message.text ?? "" } else { "gap" }
    }
    try expect(numbers == (90..<100).map(String.init), "After the gap came \(numbers).")
    try await expectFailure(.fellBehind, of: "A full buffer with the policy to fail") {
      var iterator = failing.makeAsyncIterator()
      _ = try await iterator.next()
    }
  }

  func checkSeveralChannels(_ broadcast: any Broadcast) async throws {
    let channels = (0..<5).map { freshChannel("\($0)") }
    let subscription = try await broadcast.subscribe(to: channels)
    for number in 0..<20 {
      for channel in channels { try await broadcast.publish("\(number)", to: channel) }
    }
    var iterator = subscription.makeAsyncIterator()
    var texts: [Channel: [String]] = [:]
    for message in try await iterator.messages(100) { texts[message.channel, default: []].append(message.text ?? "") }
    for channel in channels {
      try expect(texts[channel] == (0..<20).map(String.init), "Of \(channel) arrived \(texts[channel] ?? []).")
    }
  }

  func checkBetweenInstances(_ one: any Broadcast, _ two: any Broadcast) async throws {
    let channel = freshChannel()
    try await withBroadcast(one) { one in
      try await withBroadcast(two) { two in
        let subscription = try await one.subscribe(to: channel)
        try await two.publish("x", to: channel)
        var iterator = subscription.makeAsyncIterator()
        let text = try await iterator.messages(1)[0].text
        try expect(text == "x", "What the other instance published arrived as \(text ?? "binary").")
      }
    }
  }
}
