//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import Testing

@testable import BroadcastingServer

@Suite("Sweeps of the fan-out", .timeLimit(.minutes(1)))
struct FanOutSweepTests {
  @Test("who joins and leaves between the steps of a sweep keeps no message from another", arguments: 1...3)
  func joinsAndLeaves(step: Int) async throws {
    let found = Lock<FanOut?>(nil)
    try await withServer { configuration in
      configuration.limits.socketsPerSweep = step
    } routes: { routes in
      routes.socket("/feed") { request in
        found.withLock { $0 = request.fanOut }
        return try await request.subscribe(to: ["events"])
      } handler: { socket, feed in
        try await runUntilFirstCompletes(
          { while await socket.receive() != nil {} }, { try await feed.deliver(to: socket) })
      }
    } _: { server in
      var clients: [TestClient] = []
      // After the first message the sweeps begin in the middle.
      for _ in 0..<7 { clients.append(try await server.subscriber("/feed")) }
      try await server.broadcast.publish("first", to: "events")
      for client in clients { #expect(await client.receiveText() == "first") }
      for _ in 0..<13 { clients.append(try await server.subscriber("/feed")) }

      let fanOut = try #require(found.withLock { $0 })
      for round in 0..<10 {
        try await withTaskExecutorPreference(fanOut.loop) {
          try await disturb(fanOut) { try await server.broadcast.publish("\(round)", to: "events") }
        }
        for client in clients { #expect(await client.receiveText() == "\(round)") }
      }
    }
  }

  /// Publishes, and lets others come and go while the loop sends.
  private func disturb(_ fanOut: FanOut, _ publish: () async throws -> Void) async throws {
    var members: [Member] = []
    try await publish()
    for turn in 0..<20 {
      await fanOut.nextTurn()
      members.append(try await fanOut.join(["events"]))
      if turn % 3 == 2 { await fanOut.leave(members.remove(at: turn % members.count)) }
    }
    for member in members { await fanOut.leave(member) }
  }
}

extension FanOut {
  /// Returns in the loop's next turn, when each sweep has gone a step on.
  fileprivate func nextTurn() async {
    await withCheckedContinuation { continuation in loop.inNextTurn { continuation.resume() } }
  }
}
