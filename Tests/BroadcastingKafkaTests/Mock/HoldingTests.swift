//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("A topic whose place is not known", .timeLimit(.minutes(1)))
struct HoldingTests {
  @Test("is held back, and handed on in the end where nobody tells it")
  func released() async throws {
    try await MockKafka.with { kafka in
      kafka.createProbeTopic()
      for topic in ["room", "other"] { kafka.create(topic) }
      let events = Events()
      try await withBroadcast(kafka.broadcast("create=false", events)) { broadcast in
        var deliveries = try await broadcast.subscribe(to: "room").makeAsyncIterator()
        let other = try await broadcast.subscribe(to: "other")
        try await broadcast.publish("a", to: "room")
        guard case .message = try await deliveries.next() else {
          Issue.record("There is no message.")
          return
        }
        // For minutes, as often as they are asked for.
        kafka.fail(.offsets, with: Array(repeating: .leaderNotAvailable, count: 10_000))
        // One that is gone makes all suspect.
        kafka.setError(.unknownTopicOrPartition, of: "other")
        try await settle { events.count(.connectionLost) > 0 }
        try await broadcast.publish("b", to: "room")
        guard case .message(let message) = try await deliveries.next() else {
          Issue.record("There is a gap.")
          return
        }
        #expect(message.text == "b")
        other.cancel()
      }
    }
  }
}
