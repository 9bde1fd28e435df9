//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingServer
import TestSupport
import Testing

@Suite("The memory of the fan-out", .timeLimit(.minutes(2)))
struct FanOutMemoryTests {
  @Test("a message larger than all that its loop may hold still goes to who keeps up")
  func largerThanMemory() async throws {
    try await withServer(loops: 2) { configuration in
      configuration.limits.memory = 100_000
    } _: { server in
      let client = try await server.subscriber()
      for _ in 0..<5 {
        try await server.broadcast.publish(Message([UInt8](repeating: 1, count: 900_000), to: "events"))
        #expect(await client.receive()?.bytes.count == 900_000)
      }
    }
  }

  @Test("when the memory of all logs is used up the oldest goes, and its sockets are told at once")
  func memory() async throws {
    try await withServer { configuration in
      configuration.limits.memory = 8 << 20
      configuration.limits.backlogBytes = 6 << 20
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      var stalled: [TestClient] = []
      for channel in 0..<6 { stalled.append(try await server.subscriber("/events?channel=\(channel)")) }
      let payload = [UInt8](repeating: 7, count: 64 << 10)
      for round in 0..<130 {
        for channel in 0..<6 {
          try await server.broadcast.publish(Message(payload, to: Channel("\(channel)")))
          #expect(server.loggedBytes < 9 << 20, "round \(round)")
        }
      }
      // Nothing more is published. Those that lost something learn it all the same.
      var closed = 0
      for client in stalled {
        var count = 0
        while count < 130, await client.receive() != nil { count += 1 }
        if count < 130, await client.end()?.code == .missedMessages { closed += 1 }
      }
      #expect(closed >= 1)
      for client in stalled { await client.disconnect() }
      try await settle { server.heldBytes == 0 }
    }
  }

  @Test("a socket whose messages went to make room is closed at once, although its channel is quiet now")
  func quietChannel() async throws {
    try await withServer { configuration in
      configuration.limits.memory = 8 << 20
      configuration.limits.backlogBytes = 20 << 20
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      let quiet = try await server.subscriber("/events?channel=quiet")
      let busy = try await server.subscriber("/events?channel=busy")
      let payload = [UInt8](repeating: 7, count: 64 << 10)
      for channel: Channel in ["quiet", "busy"] {
        for _ in 0..<140 {
          let before = server.broadcast.statistics.delivered
          try await server.broadcast.publish(Message(payload, to: channel))
          try await settle { server.broadcast.statistics.delivered > before }
        }
        if channel == "quiet" { #expect(server.broadcast.statistics.channels == 2) }
      }
      try await settle { server.broadcast.statistics.channels == 1 }
      #expect(await quiet.end()?.code == .missedMessages)
      await busy.disconnect()
    }
  }
}
