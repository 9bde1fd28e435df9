//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import Testing

private struct Point: Codable, Equatable {
  var x: Int
  var y: Int
}

@Suite("JSON payloads")
struct JSONTests {
  @Test("values arrive as they were published, as text on the wire")
  func roundTrip() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish(json: Point(x: 1, y: 2), to: "a")
      try await broadcast.publish("{\"x\":3,\"y\":4}", to: "a")
      var iterator = subscription.decoded(as: Point.self).makeAsyncIterator()
      #expect(try await iterator.next() == Point(x: 1, y: 2))
      #expect(try await iterator.next() == Point(x: 3, y: 4))
    }
    #expect(try Message(json: ["k"], to: "a").text == "[\"k\"]")
  }

  @Test("what is not the type ends the sequence with an error that names type and channel")
  func wrongType() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish("nonsense", to: "a")
      var iterator = subscription.decoded(as: Point.self).makeAsyncIterator()
      let error = await #expect(throws: BroadcastError.self) { try await iterator.next() }
      #expect(error?.code == .undecodable)
      #expect(error?.message.contains("Point") == true && error?.message.contains("\"a\"") == true)
    }
  }

  @Test("what JSON cannot hold is not sent")
  func unencodable() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let error = await #expect(throws: BroadcastError.self) {
        try await broadcast.publish(json: [Double.nan], to: "a")
      }
      #expect(error?.code == .undecodable && error?.outcome == .notSent)
    }
  }
}
