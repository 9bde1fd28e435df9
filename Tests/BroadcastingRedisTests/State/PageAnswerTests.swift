//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingRedis

@Suite("Pages of a history on the wire")
struct PageAnswerTests {
  private func answer(_ words: [String], limit: Int = ReplyReader.maximumBytes) throws -> PageAnswer? {
    let reader = try ReplyReader(limit: limit, maximumPieces: AskingSide.maximumPieces)
    var text: [UInt8] = []
    RedisCommand.append(words, to: &text)
    for start in stride(from: 0, to: text.count, by: ReplyReader.portion) {
      try text[start..<min(start + ReplyReader.portion, text.count)].withUnsafeBytes { try reader.feed($0) }
      if try reader.next() == .list { return PageAnswer(reader, of: "a") }
    }
    return nil
  }

  @Test("a page has its messages with positions and ages")
  func whole() throws {
    let page = try #require(try answer(["7-9", "0", "7-8", "1500", "hello", "7-9", "0", ""])).page
    #expect(page.head == MessagePosition(epoch: 7, offset: 9))
    #expect(!page.reachesHead)
    #expect(
      page.messages == [
        Message("hello", to: "a", position: .init(epoch: 7, offset: 8)),
        Message("", to: "a", position: .init(epoch: 7, offset: 9)),
      ])
    #expect(page.ages == [.milliseconds(1_500), .zero])
    #expect(try answer(["0-0", "1"])?.page.reachesHead == true)
  }

  @Test("the largest page fits")
  func largest() throws {
    let entries = (1...256).flatMap { ["7-\($0)", "1", "m\($0)"] }
    let page = try #require(try answer(["7-256", "1"] + entries)).page
    #expect(page.messages.count == 256)
    #expect(page.messages.last?.text == "m256")
  }

  @Test("a message that is too large to be taken is left out, and its position is known")
  func tooLarge() throws {
    let text = String(repeating: "x", count: 5_000)
    let answer = try #require(try answer(["7-9", "0", "7-8", "0", "a", "7-9", "0", text], limit: 1_000))
    #expect(answer.page.messages.map(\.text) == ["a"])
    #expect(answer.page.ages.count == 1)
    #expect(answer.last == MessagePosition(epoch: 7, offset: 9))
  }

  @Test(
    "what is no page is none",
    arguments: [
      [], ["7-1"], ["x", "1"], ["7-1", "1", "7-1"], ["7-1", "1", "7-1", "0"], ["7-1", "1", "x", "0", "a"],
      ["7-1", "1", "7-1", "-1", "a"], ["7-1", "1", "7-1", "", "a"],
    ])
  func nonsense(words: [String]) throws { #expect(try answer(words) == nil) }
}
