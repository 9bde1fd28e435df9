//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingKafka

@Suite("Topics' names")
struct TopicNameTests {
  @Test("Kafka's names are taken", arguments: ["a", "A.b_c-9", "...", "_a", "a__", String(repeating: "x", count: 249)])
  func allowed(name: String) { #expect(TopicName.refusal(of: Channel(name)) == nil) }

  @Test(
    "others are refused, with the rule and the way out",
    arguments: [
      ("__a", "two underscores"), (".", "can be neither"), ("..", "can be neither"), ("a b", "ASCII letters"),
      ("room/1", "ASCII letters"),
      ("é", "ASCII letters"), (String(repeating: "x", count: 250), "250 bytes"),
    ])
  func refused(name: String, rule: String) throws {
    let error = try #require(TopicName.refusal(of: Channel(name)))
    #expect(error.code == .invalidChannel && !error.isRetriable)
    #expect(error.message.contains(rule) && error.message.contains("?topic=NAME"))
  }
}
