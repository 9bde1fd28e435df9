//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("The answer of /history, written and read")
struct HistoryAnswerTests {
  private static let channel: Channel = "chat"

  private static func page(_ text: String) -> HistoryPage? { HistoryAnswer.page(Array(text.utf8), of: channel) }

  @Test("what a server writes is read again: any text, any bytes, any number of them")
  func roundTrip() throws {
    var random = SeededGenerator(seed: 21)
    let scalars = Array("\"\\\u{0}\u{1f}\n/a é世👋\u{2028}".unicodeScalars)
    for count in 0..<60 {
      let messages = (0..<count).map { number in
        let position = MessagePosition(epoch: 1 << 50, offset: UInt64(number + 1))
        if Bool.random(using: &random) {
          let bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
          }
          return Message(bytes, to: Self.channel, position: position)
        }
        let text = (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in scalars.randomElement(using: &random)
        }
        return Message(String(String.UnicodeScalarView(text)), to: Self.channel, position: position)
      }
      let history = History(
        channel: Self.channel, messages: messages, head: count == 0 ? nil : .init(epoch: 1 << 50, offset: 99),
        isComplete: Bool.random(using: &random), hasMore: count > 0 && Bool.random(using: &random))
      let page = try #require(HistoryAnswer.page(AnswerBody.history(history), of: Self.channel))
      #expect(page.messages == messages)
      #expect(page.messages.map(\.position) == messages.map(\.position))
      #expect(page.head == history.head ?? .beginning && page.reachesHead == !history.hasMore)
    }
  }

  @Test("its form")
  func form() {
    let messages = [
      Message("hello", to: Self.channel, position: .init(epoch: 5, offset: 41)),
      Message([0, 1, 2], to: Self.channel, position: .init(epoch: 5, offset: 42)),
    ]
    let history = History(channel: Self.channel, messages: messages, head: .init(epoch: 5, offset: 42))
    #expect(
      String(decoding: AnswerBody.history(history), as: UTF8.self) == """
        {"channel": "chat", "head": "5-42", "complete": true, "more": false, "messages": [\
        {"position": "5-41", "message": "hello"}, {"position": "5-42", "bytes": "AAEC"}]}
        """)
  }

  @Test("members may come in any order, and unknown ones are passed over")
  func lenient() {
    let page = Self.page(
      """
      {"messages": [{"x": [1, {}], "message": "m", "position": "1-1"}], "new": null, "more": false, "head": "1-1",
       "channel": "chat"}
      """)
    let position = MessagePosition(epoch: 1, offset: 1)
    #expect(page?.messages == [Message("m", to: "chat", position: position)] && page?.head == position)
  }

  @Test(
    "anything else is no page",
    arguments: [
      "", "[]", "{}", #"{"channel": "chat"}"#, #"{"channel": "chat", "head": null, "more": false}"#,
      #"{"channel": "other", "head": null, "more": false, "messages": []}"#,
      #"{"channel": "chat", "head": "x", "more": false, "messages": []}"#,
      #"{"channel": "chat", "head": 5, "more": false, "messages": []}"#,
      #"{"channel": "chat", "head": null, "more": 0, "messages": []}"#,
      #"{"channel": "chat", "head": null, "more": true, "messages": []}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": {}}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [{"message": "m"}]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [{"position": "1-1"}]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [{"position": "1", "message": "m"}]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [{"position": "1-1", "bytes": "A"}]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [{"position": "1-1", "message": "m", "bytes": ""}]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": [5]}"#,
      #"{"channel": "chat", "head": null, "more": false, "messages": []} x"#,
    ])
  func refusals(text: String) {
    #expect(Self.page(text) == nil)
  }

  @Test("a push's answer may say a position")
  func pushed() {
    let position = MessagePosition(epoch: 9, offset: 2)
    let text = Array(#"x", "position": "8-8"#.utf8)
    let body = AnswerBody.pushed(channel: "chat", message: text[...], position: position)
    #expect(AnswerText.confirms(body, "chat") && AnswerText.position(body) == position)
    #expect(AnswerText.position(AnswerBody.pushed(channel: "chat", message: text[...])) == nil)
    #expect(AnswerText.position(AnswerBody.pushed(channel: "chat", bytes: 3, position: position)) == position)
    #expect(AnswerText.position(AnswerBody.pushed(channel: "chat", bytes: 3)) == nil)
  }
}
