//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  func checkContent(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let limit = min(broadcast.capabilities.maximumPayloadBytes ?? .max, 1_000_000)
    var messages = [
      "", "plain", "{\"a\":1}", "caf\u{E9} e\u{301} \u{1F600}", "two\nlines\r\n", "NUL \0 inside", "'quotes\" \\ ;--",
      "\u{2}bc", "\u{2}bc1rt\0x", String(repeating: "x", count: limit),
    ].map { Message($0, to: channel) }
    if broadcast.capabilities.carriesBinary {
      messages += [
        [], [0], Array(0...255), Array("valid UTF-8".utf8), [0x02, 0x62, 0x63, 0xFF], [0xC3],
        [UInt8](repeating: 0xFE, count: min(limit, 100_000)),
      ].map { Message($0, to: channel) }
    }
    messages = messages.filter { $0.payload.count <= limit }
    let subscription = try await broadcast.subscribe(to: channel)
    var iterator = subscription.makeAsyncIterator()
    for message in messages {
      try await broadcast.publish(message)
      let received = try await iterator.messages(1)[0]
      try expect(received.channel == channel, "\(message) arrived on \(received.channel).")
      try expect(received.kind == message.kind, "\(message) arrived as \(received.kind).")
      try expect(received.payload == message.payload, "\(message) arrived as \(received).")
    }
  }

  func checkHeaders(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel()
    let headers: [Message.Header] = [
      .init("name", "value"), .init("name", [0, 255]), .init("", ""), .init("\u{E9} \0", []),
    ]
    let message = Message("x", to: channel, headers: headers)
    guard broadcast.capabilities.carriesHeaders else {
      return try await expectFailure(.unsupportedHeaders, of: "Publishing headers") {
        try await broadcast.publish(message)
      }
    }
    let subscription = try await broadcast.subscribe(to: channel)
    var iterator = subscription.makeAsyncIterator()
    try await broadcast.publish(message)
    let received = try await iterator.messages(1)[0]
    try expect(received.headers == headers, "The headers \(headers) arrived as \(received.headers).")
  }

  func checkChannelNames(_ broadcast: any Broadcast) async throws {
    let names = [
      "plain", "PLAIN", "caf\u{E9}", "cafe\u{301}", "with space", "a.b", "a/b", "a*", "quote'\"\\", "\u{1F600}", "a\nb",
      "%", "$1", String(repeating: "x", count: 230), String(repeating: "x", count: 229) + "y",
    ]
    let suffix = freshChannel().name.suffix(12)
    let channels = names.map { Channel($0 + "." + suffix) }
    var iterators: [Subscription.Iterator] = []
    for channel in channels { iterators.append(try await broadcast.subscribe(to: channel).makeAsyncIterator()) }
    for channel in channels { try await broadcast.publish(channel.name, to: channel) }
    for channel in channels { try await broadcast.publish("last", to: channel) }
    for (index, channel) in channels.enumerated() {
      let messages = try await iterators[index].messages(2)
      let isOwn = messages.allSatisfy { $0.channel == channel }
      let texts = messages.map { $0.text ?? "" }
      try expect(
        isOwn && texts[0].utf8.elementsEqual(channel.name.utf8) && texts[1] == "last",
        "The subscriber of \"\(channel)\" got \(texts) of \(messages.map(\.channel)).")
    }
  }

  func checkInvalidNames(_ broadcast: any Broadcast) async throws {
    let names = ["", "a\0b", String(repeating: "x", count: Channel.maximumBytes + 1), Channel.reservedPrefix + "x"]
    for name in names {
      try await expectFailure(.invalidChannel, of: "Publishing to an invalid name") {
        try await broadcast.publish("x", to: Channel(name))
      }
      try await expectFailure(.invalidChannel, of: "Subscribing to an invalid name") {
        _ = try await broadcast.subscribe(to: Channel(name))
      }
    }
  }

  func checkPayloadLimit(_ broadcast: any Broadcast) async throws {
    guard let limit = broadcast.capabilities.maximumPayloadBytes, limit <= 256 * 1_024 * 1_024 else { return }
    let channel = freshChannel()
    let subscription = try await broadcast.subscribe(to: channel)
    var iterator = subscription.makeAsyncIterator()
    let payload = [UInt8](repeating: 0x78, count: limit)
    try await expectFailure(.messageTooLarge, of: "Publishing a payload over the limit") {
      try await broadcast.publish(try Message(utf8: payload + [0x78], to: channel))
    }
    try await broadcast.publish(try Message(utf8: payload, to: channel))
    let received = try await iterator.messages(1)[0].payload
    try expect(received == payload, "A payload at the limit of \(limit) bytes arrived with \(received.count).")
  }

  func checkPositions(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel("history")
    let subscription = try await broadcast.subscribe(to: channel)
    var iterator = subscription.makeAsyncIterator()
    var receipts: [Receipt] = []
    for number in 0..<5 { receipts.append(try await broadcast.publish("\(number)", to: channel)) }
    let positions = try await iterator.messages(5).map(\.position)
    guard broadcast.capabilities.hasPositions else {
      return try expect(
        positions.allSatisfy { $0 == nil } && receipts.allSatisfy { $0.position == nil },
        "There are positions, although the capabilities deny it.")
    }
    try expect(positions == receipts.map(\.position), "Receipts and messages have different positions.")
    let known = positions.compactMap { $0 }
    try expect(known.count == 5, "Positions are missing.")
    for (earlier, later) in zip(known, known.dropFirst()) {
      try expect(
        earlier.epoch != later.epoch || earlier.offset < later.offset, "Offsets do not grow: \(earlier), \(later).")
    }
  }
}
