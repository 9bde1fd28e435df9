//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  func checkPatterns(_ broadcast: any Broadcast) async throws {
    let base = freshChannel().name
    guard broadcast.capabilities.hasPatterns else {
      return try await expectFailure(.unsupportedPatterns, of: "Subscribing to a pattern") {
        _ = try await broadcast.subscribe(to: ChannelPattern("\(base).*"))
      }
    }
    for glob in ["", "a\0", String(repeating: "x", count: ChannelPattern.maximumBytes + 1)] {
      try await expectFailure(.invalidPattern, of: "Subscribing to an invalid pattern") {
        _ = try await broadcast.subscribe(to: ChannelPattern(glob))
      }
    }
    try await checkPatternMatches(broadcast, base)
    try await checkPatternBesideChannel(broadcast, base)
  }

  /// What is published to many channels arrives where the pattern says so.
  private func checkPatternMatches(_ broadcast: any Broadcast, _ base: String) async throws {
    let names = ["a", "ab", "abc", "b", "b1", "b9", "*", "a*", "[ab]", "\u{E9}", "x y", "\"'\\;"].map {
      "\(base).\($0)"
    }
    let globs = ["*", "a*", "?", "[ab]", "b[0-5]", "[^a]*", "\\*", "??", "a\\*", "*c", "x y"].map { "\(base).\($0)" }
    for glob in globs {
      let pattern = ChannelPattern(glob)
      let subscription = try await broadcast.subscribe(to: pattern)
      // The last one matches for certain, so that there is an end to wait for.
      let last = try await broadcast.subscribe(to: Channel("\(base).end"))
      for name in names { try await broadcast.publish(name, to: Channel(name)) }
      try await broadcast.publish("end", to: Channel("\(base).end"))
      var end = last.makeAsyncIterator()
      _ = try await end.messages(1)
      let expected = names.filter { pattern.matches(Channel($0)) }
      var iterator = subscription.makeAsyncIterator()
      let messages = try await iterator.messages(expected.count)
      try expect(
        messages.map(\.channel.name).sorted() == expected.sorted()
          && messages.allSatisfy { $0.text == $0.channel.name },
        "Of the pattern \(glob) arrived \(messages), where \(expected) had to.")
    }
  }

  /// A channel whose name is the pattern's text is not the pattern.
  private func checkPatternBesideChannel(_ broadcast: any Broadcast, _ base: String) async throws {
    let text = "\(base).same*"
    let channel = try await broadcast.subscribe(to: Channel(text))
    let pattern = try await broadcast.subscribe(to: ChannelPattern(text))
    let other = try await broadcast.subscribe(to: ChannelPattern(text))
    try await broadcast.publish("1", to: Channel("\(base).same1"))
    try await broadcast.publish("2", to: Channel(text))
    for subscription in [pattern, other] {
      var iterator = subscription.makeAsyncIterator()
      let texts = try await iterator.messages(2).map { $0.text ?? "" }.sorted()
      try expect(texts == ["1", "2"], "A pattern got \(texts) where 1 and 2 had to arrive.")
    }
    var iterator = channel.makeAsyncIterator()
    let first = try await iterator.messages(1)[0].text
    try expect(
      first == "2", "A channel whose name is a pattern got \(first ?? "binary"), which was not published to it.")
  }
}
