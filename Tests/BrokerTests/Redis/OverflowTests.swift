//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingRedis
import TestSupport
import Testing

@Suite(
  "A Redis that gives a subscriber up", .enabled(if: Broker.redis.isStartable, "Redis is missing"),
  .timeLimit(.minutes(1))
)
struct RedisOverflowTests {
  @Test("a subscriber that the server cuts for what it has not read gets a gap, and then what comes")
  func outputBufferLimit() async throws {
    var options = RedisServer.Options()
    options.settings = ["client-output-buffer-limit": "pubsub 200kb 0 0"]
    try await RedisServer.with(options) { redis in
      try await FaultyProxy.with(to: redis.port) { proxy in
        let events = Events()
        try await withBroadcast(try Broker.redis.open(redis.url(port: proxy.port), events)) { broadcast in
          let subscription = try await broadcast.subscribe(to: "a")
          var deliveries = subscription.makeAsyncIterator()
          let start = ContinuousClock.now
          await proxy.stall()
          // The kernel's buffers on the way take some megabytes.
          let payload = [UInt8](repeating: 65, count: 500_000)
          while !redis.log.contains(where: { $0.contains("overcoming of output buffer limits") }) {
            try await redis.cli(["-x", "PUBLISH", "a"], input: payload)
          }
          await proxy.goOn()
          try await wait(for: "the loss") { events.count(.connectionLost, since: start) > 0 }
          try await wait(for: "coming back") { broadcast.statistics.isAvailable }
          try await broadcast.publish("after", to: "a")
          var heard: [Delivery] = []
          while heard.last != .message(Message("after", to: "a")), let next = try await deliveries.next() {
            heard.append(next)
          }
          #expect(heard.dropLast().last == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
          let whole = Message(String(decoding: payload, as: UTF8.self), to: "a")
          #expect(heard.dropLast(2).allSatisfy { $0 == .message(whole) })
        }
      }
    }
  }
}
