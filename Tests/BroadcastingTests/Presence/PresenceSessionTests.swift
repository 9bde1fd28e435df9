//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

@Suite("Presence and the sessions of a hub", .timeLimit(.minutes(1)))
struct PresenceSessionTests {
  @Test("from the first moment of a session on it is known whether it may take out the dead")
  func takingOutDead() async throws {
    let presence = Lock<PresenceDesk?>(nil)
    let answers = Lock<[Bool?]>([])
    // Told as soon as calls are let in.
    let configuration = HubConfiguration.quick { event in
      guard event.kind == .connected else { return }
      let answer = presence.withLock { $0?.mayTakeOutDead }
      answers.withLock { $0.append(answer) }
    }
    try await withScript(configuration) { hub, script in
      presence.withLock { $0 = hub.presence }
      let (first, _) = try await script.connect()
      first.fail(BroadcastError(.unavailable, "Broken.", isRetriable: true))
      _ = try await script.connect()
      // In the second others may be not back yet.
      #expect(answers.withLock { $0 } == [true, false])
    }
  }
}
