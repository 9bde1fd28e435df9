//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Calls of the scripts for histories")
struct KeptChannelTests {
  private let policy = HistoryPolicy(maximumMessages: 50, maximumBytes: 1_000, maximumAge: .seconds(60))

  private func configuration(_ rules: [HistoryPolicies.Rule]) -> RedisBroadcast.Configuration {
    var configuration = RedisBroadcast.Configuration()
    configuration.hub.history = HistoryPolicies(rules)
    return configuration
  }

  private func words(_ text: [UInt8]) throws -> [String] {
    let reader = try ReplyReader()
    try text.withUnsafeBytes { try reader.feed($0) }
    guard try reader.next() == .list else { return [] }
    return (0..<reader.count).map { reader.text(at: $0) }
  }

  @Test("without histories nothing is kept")
  func none() { #expect(KeptChannels(configuration([]), database: 0) == nil) }

  @Test("a message is recorded with its channel's limits, and one without a history is left to others")
  func record() throws {
    let rules = [
      HistoryPolicies.Rule(ChannelPattern("private.*"), nil), .init(ChannelPattern("*"), policy),
    ]
    let channels = try #require(KeptChannels(configuration(rules), database: 3))
    var command = RecordCommand(channels, run: "run", digest: Array("abc".utf8))
    // Twice: the second time it is remembered.
    for text in ["hello", "", "world"] {
      var output: [UInt8] = []
      #expect(command.append(Array(text.utf8), to: "a", &output))
      #expect(
        try words(output) == [
          "EVALSHA", "abc", "2", "broadcast:history:{a}", "broadcast:log:{a}", "a", text,
          "__broadcast.at.3.broadcast:history:{a}", "run", "50", "1000", "60000", "604860000",
        ])
      output = []
      #expect(!command.append([1], to: "private.a", &output))
      #expect(output == [])
    }
    for number in 0..<10_000 {
      var output: [UInt8] = []
      #expect(command.append([65], to: Channel("c\(number)"), &output))
      #expect(try words(output)[5] == "c\(number)")
    }
  }

  @Test("a question has limits, and numbers that scripts count exactly")
  func read() {
    let kept = KeptChannel("a", policy, KeyNames(prefix: "p:", database: 0))
    func arguments(_ query: HistoryQuery) -> [String] {
      kept.read(query, run: "r").arguments.map { String(decoding: $0, as: UTF8.self) }
    }
    let life = "\(60_000 + 7 * 86_400_000)"
    #expect(kept.open(run: "r").arguments.map { String(decoding: $0, as: UTF8.self) }.first == "open")
    #expect(kept.open(run: "r").answerBytes == 64)
    #expect(arguments(.init(.live)) == ["head", "", "r", "60000", "256", "0", life])
    #expect(
      arguments(.init(.last(7), maximumMessages: 5, maximumBytes: 10)) == ["last", "7", "r", "60000", "5", "10", life])
    #expect(arguments(.init(.last(.max), maximumMessages: .max))[1] == "50")
    #expect(arguments(.init(.last(1), maximumMessages: 0, maximumBytes: -1))[4..<6] == ["1", "1"])
    #expect(arguments(.init(.last(1), maximumMessages: .max))[4] == "256")
    #expect(arguments(.init(.after(.beginning)))[..<2] == ["after", "0-0"])
    #expect(
      arguments(.init(.after(MessagePosition(epoch: .max, offset: .max))))[1] == "9007199254740991-9007199254740991")
  }
}
