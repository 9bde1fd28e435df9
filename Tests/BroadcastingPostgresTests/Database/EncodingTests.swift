//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Encodings of a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct EncodingTests {
  /// Publishes texts at once, with small ones between, and says which were refused and which arrived.
  private func fates(
    of texts: [String], on broadcast: PostgresBroadcast
  ) async throws -> (refused: [BroadcastError], arrived: Set<String>) {
    let neighbours = (0..<10).map { "neighbour \($0)" }
    var iterator = try await broadcast.subscribe(to: ["größe"]).makeAsyncIterator()
    let refused = try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
      for text in texts + neighbours {
        group.addTask {
          do throws(BroadcastError) { try await broadcast.publish(text, to: "größe") } catch { return error }
          return nil
        }
      }
      return try await group.reduce(into: [BroadcastError]()) { if let error = $1 { $0.append(error) } }
    }
    let arrived = Set(try await heard(texts.count + neighbours.count - refused.count, of: &iterator))
    #expect(arrived.isSuperset(of: neighbours))
    return (refused, arrived.subtracting(neighbours))
  }

  @Test(
    "what has a form in the encoding arrives, short or long", arguments: ["EUC_JP", "EUC_KR", "LATIN1", "SQL_ASCII"])
  func fitting(encoding: String) async throws {
    let character = encoding == "LATIN1" ? "ö" : encoding == "EUC_KR" ? "가" : "あ"
    let texts = [2, 7_998, 20_000].map { String(repeating: character, count: $0 / character.utf8.count) }
    try await withDatabase("old", encoding: encoding) { _, broadcast in
      // "größe" has no form in EUC_KR.
      var iterator = try await broadcast.subscribe(to: [Channel(character)]).makeAsyncIterator()
      try await broadcast.publish(texts.map { Message($0, to: Channel(character)) })
      #expect(try await heard(texts.count, of: &iterator) == texts)
      try await broadcast.publish(Array("😀".utf8), to: Channel(character))
      #expect(try await heard(1, of: &iterator) == ["binary \(Array("😀".utf8))"])
    }
  }

  @Test("text that grows beyond a notification in the encoding, or has no form in it, is refused alone and says so")
  func growing() async throws {
    // "é" has two bytes in UTF-8, and three in EUC_JP.
    let long = [7_998, 20_000].map { String(repeating: "é", count: $0 / 2) }
    let fitting = String(repeating: "é", count: 7_998 / 3)
    try await withDatabase("old", encoding: "EUC_JP") { _, broadcast in
      let (refused, arrived) = try await fates(of: long + ["😀", fitting], on: broadcast)
      #expect(arrived == [fitting])
      #expect(refused.count == 3)
      #expect(refused.allSatisfy { $0.code == .refused && !$0.isRetriable && $0.outcome == .notSent })
      #expect(refused.allSatisfy { $0.message.contains("encoding of the database") }, "\(refused)")
      #expect(refused.count { $0.message.contains("7,999") } == 2)
    }
  }

  @Test("a name that grows beyond those of the database is refused alone, where it would be cut to another one's")
  func growingNames() async throws {
    // 63 and 93 bytes there, 42 and 62 here.
    let cut = Channel(String(repeating: "é", count: 21))
    let long = Channel(String(repeating: "é", count: 31))
    // 62 bytes in both.
    let fitting = Channel(String(repeating: "я", count: 30) + "'\\\"")
    try await withDatabase("old", encoding: "EUC_JP") { server, broadcast in
      let channels = [cut, fitting] + (0..<10).map { Channel("neighbour \($0)") }
      let subscriptions = try await withThrowingTaskGroup(of: Subscription?.self) { group in
        for channel in channels { group.addTask { try await broadcast.subscribe(to: channel) } }
        group.addTask {
          let error = await #expect(throws: BroadcastError.self) { _ = try await broadcast.subscribe(to: long) }
          #expect(error?.code == .refused && error?.isRetriable == false)
          #expect(error?.message.contains("63 of a name") == true, "\(error?.message ?? "")")
          return nil
        }
        return try await group.reduce(into: [Subscription]()) { if let subscription = $1 { $0.append(subscription) } }
      }
      let published = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: long) }
      #expect(published?.code == .refused && published?.outcome == .notSent)
      for subscription in subscriptions {
        var iterator = subscription.makeAsyncIterator()
        let channel = try #require(subscription.channels.first)
        try await broadcast.publish(channel.name, to: channel)
        #expect(try await heard(1, of: &iterator) == [channel.name])
      }
    }
  }
}
