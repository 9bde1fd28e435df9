//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("A broker that refuses", .timeLimit(.minutes(3)))
struct RefusalTests {
  @Test("a password that is no longer right is told, tried again, and ends nothing", arguments: Broker.startable)
  func passwordChanges(broker: Broker) async throws {
    try await broker.withPassword("first") { server in
      let events = Events()
      try await withBroadcast(try broker.open(server.url(port: server.port), events)) { broadcast in
        let subscription = try await broadcast.subscribe(to: "a")
        var deliveries = subscription.makeAsyncIterator()
        let start = ContinuousClock.now
        try await server.changePassword(from: "first", to: "second")
        try await wait(for: "being refused") { events.count(.refused, since: start) > 0 }
        do throws(BroadcastError) {
          try await broadcast.publish("lost", to: "a")
          Issue.record("It was published.")
        } catch {
          #expect(error.isRetriable && error.outcome == .notSent, "\(error)")
        }
        try await server.changePassword(from: "second", to: "first")
        try await wait(for: "coming back", within: .seconds(20)) { broadcast.statistics.isAvailable }
        try await broadcast.publish("found", to: "a")
        if !broker.keepsMessages {
          let gap = try await deliveries.next()
          #expect(gap == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
        }
        #expect(try await deliveries.next() == .message(Message("found", to: "a")))
      }
    }
  }
}
