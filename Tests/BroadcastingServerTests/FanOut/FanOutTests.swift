//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingServer
import TestSupport
import Testing

@Suite("The fan-out", .timeLimit(.minutes(2)))
struct FanOutTests {
  @Test("each socket gets each message once, in order, text as text and bytes as bytes")
  func delivers() async throws {
    try await withServer(loops: 2) { server in
      try await withThrowingTaskGroup { group in
        for _ in 0..<60 {
          let client = try await server.subscriber()
          group.addTask {
            for number in 0..<1000 {
              let expected = Self.message(number)
              guard let got = await client.receive() else {
                Issue.record("closed at \(number): \(String(describing: await client.close))")
                return
              }
              #expect(got.bytes == expected.payload)
              #expect(got.kind == (expected.kind == .text ? .text : .binary))
              if got.bytes != expected.payload { return }
            }
            await client.leave()
          }
        }
        // Some alone, some in bursts.
        for number in 0..<200 { try await server.broadcast.publish(Self.message(number)) }
        for start in stride(from: 200, to: 1000, by: 50) {
          try await server.broadcast.publish((start..<start + 50).map(Self.message))
          await Task.yield()
        }
        try await group.waitForAll()
      }
    }
  }

  /// Payloads of all the lengths at which a frame's header changes.
  private static func message(_ number: Int) -> Message {
    let lengths = [0, 1, 125, 126, 127, 300, 65_535, 65_536]
    let length = number % 97 == 0 ? lengths[number / 97 % 8] : number % 100
    if number % 2 == 0 {
      return Message([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length), to: "events")
    }
    return Message("\(number)", to: "events")
  }

  @Test("a stalled reader is closed with 4000 and holds no memory, and the others lose nothing")
  func stalled() async throws {
    try await withServer(loops: 2) { configuration in
      configuration.limits.backlogBytes = 256 << 10
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      var stalled: [TestClient] = []
      for _ in 0..<4 { stalled.append(try await server.subscriber()) }
      let payload = [UInt8](repeating: 7, count: 16 << 10)
      let count = 2000
      try await withThrowingTaskGroup { group in
        var live: [TestClient] = []
        for _ in 0..<6 { live.append(try await server.subscriber()) }
        let slowest = Progress(readers: live.count)
        for (index, client) in live.enumerated() {
          group.addTask {
            for number in 0..<count {
              guard await client.receive() != nil else {
                Issue.record("a live socket was closed at \(number): \(String(describing: await client.close))")
                slowest.reached(index, .max)
                return
              }
              slowest.reached(index, number + 1)
            }
            slowest.reached(index, .max)
          }
        }
        for number in 0..<count {
          // The live ones are never further behind than their limit.
          try await settle { slowest.least >= number - 8 }
          try await server.broadcast.publish(Message(payload, to: "events"))
          #expect(server.loggedBytes < 16 << 20)
        }
        try await group.waitForAll()
      }
      for client in stalled {
        let close = await client.end()
        #expect(close?.code == .missedMessages)
      }
    }
  }

  @Test("a channel that a slow reader never gets to the end of does not hold up its other one")
  func fairness() async throws {
    try await withServer { configuration in
      configuration.limits.backlogBytes = 64 << 20
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      let client = try await server.subscriber("/events?channel=busy&channel=quiet")
      let payload = [UInt8](repeating: 0, count: 20_000)
      // More than the kernel's buffers hold.
      for _ in 0..<1000 { try await server.broadcast.publish(Message(payload, to: "busy")) }
      try await server.broadcast.publish("now", to: "quiet")
      var count = 0
      while let got = await client.receive(), got.text != "now" { count += 1 }
      #expect(count < 900)
    }
  }

  @Test("a slow reader inside its limits loses nothing")
  func slow() async throws {
    try await withServer(loops: 2) { configuration in
      configuration.limits.backlogBytes = 64 << 20
      configuration.limits.backlogMessages = 2000
    } _: { server in
      let client = try await server.subscriber()
      // More than the kernel's buffers hold.
      for number in 0..<1500 {
        var payload = [UInt8](repeating: 0, count: 20_000)
        (payload[0], payload[1]) = (UInt8(number & 255), UInt8(number >> 8))
        try await server.broadcast.publish(Message(payload, to: "events"))
      }
      for number in 0..<1500 {
        let got = try #require(await client.receive())
        #expect(got.bytes.count == 20_000 && Int(got.bytes[0]) | Int(got.bytes[1]) << 8 == number)
      }
      await client.leave()
      try await settle { server.heldBytes == 0 }
    }
  }

  @Test("with a limit of one message a reader that keeps up gets all")
  func oneMessage() async throws {
    try await withServer { configuration in
      configuration.limits.backlogMessages = 1
    } _: { server in
      let client = try await server.subscriber()
      for number in 0..<100 {
        try await server.broadcast.publish("\(number)", to: "events")
        #expect(await client.receiveText() == "\(number)")
      }
      // In bursts too: who takes all that is at hand is never behind.
      try await server.broadcast.publish((0..<100).map { Message("\($0)", to: "events") })
      for number in 0..<100 { #expect(await client.receiveText() == "\(number)") }
    }
  }

  @Test("bursts of small and largest messages cost no socket that keeps up its place", arguments: [100, 4_000, 70_000])
  func burstsAtTheLimit(limit: Int) async throws {
    try await withServer { configuration in
      configuration.limits.message = limit
      configuration.limits.backlogBytes = limit
    } _: { server in
      let client = try await server.subscriber()
      var messages: [Message] = []
      for number in 0..<200 {
        messages.append(Message("\(number)", to: "events"))
        if number % 10 == 9 { messages.append(Message([UInt8](repeating: 1, count: limit), to: "events")) }
        if number % 20 == 7 { messages.append(Message([UInt8](repeating: 1, count: limit * 9 / 10), to: "events")) }
      }
      try await withThrowingTaskGroup { group in
        group.addTask { [messages] in
          for message in messages {
            let got = await client.receive()
            #expect(got?.bytes == message.payload)
            if got == nil { return }
          }
        }
        for start in stride(from: 0, to: messages.count, by: 33) {
          try await server.broadcast.publish(Array(messages[start..<min(start + 33, messages.count)]))
          if limit > 10_000 { try await settle { server.heldBytes == 0 } }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("stalled sockets that use up the memory cost the others nothing")
  func memoryOfOthers() async throws {
    try await withServer(loops: 2) { configuration in
      configuration.limits.memory = 16 << 20
      configuration.limits.backlogBytes = 12 << 20
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      for channel in 0..<4 { _ = try await server.subscriber("/events?channel=\(channel)") }
      let live = try await server.subscriber("/events?channel=live")
      let payload = [UInt8](repeating: 7, count: 64 << 10)
      for number in 0..<400 {
        for channel in 0..<4 { try await server.broadcast.publish(Message(payload, to: Channel("\(channel)"))) }
        try await server.broadcast.publish(Message(payload, to: "live"))
        let got = await live.receive()
        #expect(got != nil, "closed at \(number)")
        if got == nil { return }
      }
    }
  }

  @Test("sockets come and go under load; at the end nothing is held")
  func churn() async throws {
    try await withServer(loops: 2) { server in
      let isOver = Gate()
      try await withThrowingTaskGroup { group in
        group.addTask {
          var number = 0
          while !isOver.isOpen {
            try await server.broadcast.publish(
              (0..<16).map { Message("\(number + $0)", to: "events") })
            number += 16
            await Task.yield()
          }
        }
        try await withThrowingTaskGroup { clients in
          for worker in 0..<8 {
            clients.addTask {
              for round in 0..<12 {
                let client = try await server.subscriber("/events?channel=events&channel=c\(worker)")
                var last: Int?
                for _ in 0..<(round * 20) {
                  guard let number = Int(await client.receiveText() ?? "") else {
                    #expect(await client.close?.code == .missedMessages)
                    break
                  }
                  if let last { #expect(number == last + 1) }
                  last = number
                }
                if round % 3 == 0 { await client.reset() } else { await client.disconnect() }
              }
            }
          }
          try await clients.waitForAll()
        }
        isOver.open()
        try await group.waitForAll()
      }
      try await settle { server.broadcast.statistics.subscribers == 0 && server.heldBytes == 0 }
    }
  }
}

/// How far several readers are.
private final class Progress: Sendable {
  private let places: Lock<[Int]>
  init(readers: Int) { places = Lock([Int](repeating: 0, count: readers)) }
  var least: Int { places.withLock { $0.min() ?? 0 } }
  func reached(_ reader: Int, _ place: Int) { places.withLock { $0[reader] = place } }
}
