//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("The example push and events", .timeLimit(.minutes(20)))
struct PushAndEventsTests {
  @Test("what is pushed arrives at a WebSocket as its JSON text")
  func push() async throws {
    try await ExampleProcess.with("push-events") { example in
      let answer = try await Curl.push(#"{"channel": "events", "message": "hi"}"#, to: example.url)
      #expect(answer.status == 200)
      #expect(answer.body == #"{"channel": "events", "message": "\"hi\""}"#)
    }
  }
}
