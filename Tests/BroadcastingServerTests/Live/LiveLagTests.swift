//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingWeb
import TestSupport
import Testing

@testable import BroadcastingServer

extension LiveGapTests {
  @Test("a client that is behind and takes what it was sent slowly gets its new state when it has all")
  func crawlingReader() async throws {
    let changes = LiveChanges(of: ["ledger"]) { message in message.text.map { LiveChange($0) } }
    let reads = Counter()
    let large = String(repeating: "x", count: 12 << 20)
    try await withBroker(
      configure: { $0.timeouts.lag = .seconds(2) },
      routes: { routes in
        routes.live("/ledger") { _ in
          LiveResource(changes) { reads.next() == 0 ? LiveState(large) : LiveState("=") }
        }
      }
    ) { driver, server in
      let client = try await server.subscriber("/ledger")
      driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
      // Not faster than a poor connection, so that it takes much longer than the limit.
      for _ in 0..<60 {
        #expect(await client.takeSome())
        try await Task.sleep(for: .milliseconds(100))
      }
      #expect(await client.receiveText()?.utf8.count == large.utf8.count)
      #expect(await client.receiveText() == "=")
      #expect(reads.value == 2)
    }
  }

  @Test("a client that is behind and takes nothing is closed with 4000, as one that was away for the broker's gap too")
  func stalledReader() async throws {
    let ledger = Ledger()
    let padding = String(repeating: "x", count: 60_000)
    let changes = LiveChanges(of: ["ledger"]) { _ in LiveChange(padding) }
    try await withBroker(
      configure: {
        $0.limits.backlogBytes = 64 << 20
        $0.timeouts.lag = .milliseconds(100)
      },
      routes: { routes in
        routes.live("/ledger") { _ in LiveResource(changes) { LiveState(try ledger.state().text) } }
      }
    ) { driver, server in
      let stalled = try await server.subscriber("/ledger")
      for _ in 0..<400 { try await server.change("a", in: ledger) }
      // Until its socket takes nothing more, and the rest lies in the log.
      var logged = 0
      repeat {
        logged = server.loggedBytes
        try await Task.sleep(for: .milliseconds(200))
      } while logged == 0 || server.loggedBytes != logged || server.broadcast.statistics.bytesHeld > 0
      driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
      // Nothing is held for it from then on, and no state is read.
      try await settle { server.loggedBytes == 0 && server.broadcast.statistics.subscribers == 0 }
      #expect(ledger.reads.value == 1)
      #expect(await stalled.end()?.code == .missedMessages)
    }
  }
}
