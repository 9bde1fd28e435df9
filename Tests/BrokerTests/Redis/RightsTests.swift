//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A Redis user whose rights change", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(1)))
struct RedisRightsTests {
  private static let user = "app on >word resetchannels &__broadcast.* &chat &news +@all"

  @Test("a channel that is taken from it is refused alone, and is back with the right to it")
  func channel() async throws {
    try await withUser { server, events, broadcast in
      var chat = try await broadcast.subscribe(to: "chat").makeAsyncIterator()
      var news = try await broadcast.subscribe(to: "news").makeAsyncIterator()
      try await broadcast.publish("before", to: "chat")
      #expect(try await chat.next() == .message(Message("before", to: "chat")))

      // Redis ends the connection of who is subscribed to what it may not have any more.
      try await server.cli(["ACL", "SETUSER", "app", "resetchannels", "&__broadcast.*", "&news"])
      try await wait(for: "the refusal") { events.all.contains { $0.kind == .refused && $0.channel == "chat" } }
      let refusal = events.all.last { $0.kind == .refused && $0.channel == "chat" }?.error
      #expect(refusal?.message.contains("ACL SETUSER") == true, "\(refusal?.message ?? "")")
      let publishing = await failure { try await broadcast.publish("no", to: "chat") }
      #expect(publishing?.code == .refused && publishing?.outcome == .notSent, "\(publishing?.description ?? "")")
      let start = ContinuousClock.now
      let subscribing = await failure { try await broadcast.subscribe(to: "chat") }
      #expect(subscribing?.code == .refused, "\(subscribing?.description ?? "")")
      #expect(ContinuousClock.now - start < Promised.failing)
      // The other one has lost nothing but the connection.
      try await broadcast.publish("still", to: "news")
      #expect(try await news.next() == .gap(Gap(channel: "news", missed: nil, reason: .connectionLost)))
      #expect(try await news.next() == .message(Message("still", to: "news")))

      let givenBack = ContinuousClock.now
      try await server.cli(["ACL", "SETUSER", "app", "&chat"])
      try await wait(for: "coming back", within: Promised.recovering) {
        events.count(.resubscribed, since: givenBack) > 0
      }
      try await broadcast.publish("after", to: "chat")
      // A gap for the lost connection, and one for the time without the right.
      for _ in 0..<2 {
        #expect(try await chat.next() == .gap(Gap(channel: "chat", missed: nil, reason: .connectionLost)))
      }
      #expect(try await chat.next() == .message(Message("after", to: "chat")))
    }
  }

  /// The first of them ends its connections; by the second it is noticed with the next probe.
  @Test(
    "a user that is deleted, or may not publish, is told so, tried again, and ends nothing",
    arguments: [(["DELUSER", "app"], "user and password"), (["SETUSER", "app", "-publish"], "+publish")])
  func user(change: [String], advice: String) async throws {
    try await withUser { server, events, broadcast in
      var chat = try await broadcast.subscribe(to: "chat").makeAsyncIterator()
      try await server.cli(["ACL"] + change)
      try await wait(for: "the refusal") { events.count(.refused) > 0 }
      let refusal = events.all.last { $0.kind == .refused }?.error
      #expect(refusal?.message.contains(advice) == true, "\(refusal?.message ?? "")")
      #expect(refusal?.description.contains("word@") == false)
      for _ in 0..<3 {
        let start = ContinuousClock.now
        let publishing = await failure { try await broadcast.publish("no", to: "chat") }
        #expect(publishing?.isRetriable == true && publishing?.outcome == .notSent, "\(publishing?.description ?? "")")
        let subscribing = await failure { try await broadcast.subscribe(to: "news") }
        #expect(subscribing?.isRetriable == true, "\(subscribing?.description ?? "")")
        #expect(ContinuousClock.now - start < Promised.failing * 2)
      }

      try await server.cli(["ACL", "SETUSER"] + Self.user.split(separator: " ").map(String.init))
      try await wait(for: "coming back", within: Promised.recovering) { broadcast.statistics.isAvailable }
      try await broadcast.publish("after", to: "chat")
      #expect(try await chat.next() == .gap(Gap(channel: "chat", missed: nil, reason: .connectionLost)))
      #expect(try await chat.next() == .message(Message("after", to: "chat")))
    }
  }

  private func withUser(
    _ body: (RedisServer, Events, any Broadcast) async throws -> Void
  ) async throws {
    var options = RedisServer.Options()
    options.users = [Self.user]
    try await RedisServer.with(options) { server in
      let events = Events()
      try await withBroadcast(Broker.redis.open("redis://app:word@\(server.address)", events)) { broadcast in
        try await body(server, events, broadcast)
      }
    }
  }
}
