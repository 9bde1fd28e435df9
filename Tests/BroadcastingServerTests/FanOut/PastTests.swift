//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("Sockets that begin in the past", .timeLimit(.minutes(2)))
struct PastTests {
  @Test("the last messages come first, then what is published; frames stay as they are")
  func last() async throws {
    try await withKeepingServer { server in
      try await server.publish(0..<10, to: "kept.a")
      try await server.broadcast.publish(Message([1, 2], to: "kept.a"))
      let client = try await server.connect()
      let response = try await client.upgrade("/events?channel=kept.a&last=3")
      #expect(response?.headers["Broadcast-Recovery"] == "recovered")
      try await server.publish(10..<12, to: "kept.a")
      #expect(await client.texts(2) == ["8", "9"])
      #expect(await client.receive() == .binary([1, 2]))
      #expect(await client.texts(2) == ["10", "11"])
    }
  }

  @Test("behind a position all comes that was missed")
  func after() async throws {
    try await withKeepingServer { server in
      let positions = try await server.publish(0..<10, to: "kept.a")
      let starts: [(MessagePosition, Int)] = [
        (positions[0], 1), (positions[6], 7), (positions[9], 10), (.beginning, 0),
      ]
      for (round, (after, first)) in starts.enumerated() {
        let client = try await server.connect()
        let response = try await client.upgrade("/events?channel=kept.a&after=\(after)")
        #expect(response?.headers["Broadcast-Recovery"] == "recovered")
        try await server.publish(10 + round..<11 + round, to: "kept.a")
        #expect(await client.texts(11 + round - first) == (first...10 + round).map { "\($0)" }, "\(after)")
        await client.disconnect()
      }
    }
  }

  @Test("what is asked for and no longer there is told, and what there is comes")
  func missed() async throws {
    try await withKeepingServer(messages: 4) { server in
      let positions = try await server.publish(0..<10, to: "kept.a")
      let other = MessagePosition(epoch: positions[0].epoch ^ 1, offset: 9)
      let ahead = MessagePosition(epoch: positions[0].epoch, offset: 11)
      for after in [positions[4], .beginning, other, ahead] {
        let client = try await server.connect()
        let response = try await client.upgrade("/events?channel=kept.a&after=\(after)")
        #expect(response?.headers["Broadcast-Recovery"] == "missed", "\(after)")
        #expect(await client.texts(4) == ["6", "7", "8", "9"], "\(after)")
        await client.disconnect()
      }
    }
  }

  @Test("with positions each frame says where it stands, and the first what there is")
  func positions() async throws {
    try await withKeepingServer { server in
      let positions = try await server.publish(0..<4, to: "kept.a b")
      let client = try await server.subscriber("/events?channel=kept.a%20b&positions=true&last=2")
      #expect(await client.receiveText() == "=\(positions[3]) recovered kept.a%20b\n")
      #expect(await client.receiveText() == "\(positions[2]) kept.a%20b\n2")
      #expect(await client.receiveText() == "\(positions[3]) kept.a%20b\n3")
      let next = try await server.broadcast.publish(Message([10, 10], to: "kept.a b"))
      let position = try #require(next.position)
      #expect(await client.receive() == .binary(Array("\(position) kept.a%20b\n\n\n".utf8)))
    }
  }

  @Test("without a start, and on a channel without a history, the first frame says so too")
  func states() async throws {
    try await withKeepingServer { server in
      let empty = try await server.subscriber("/events?channel=kept.a&positions=true")
      #expect(await empty.receiveText() == "=0-0 recovered kept.a\n")
      let positions = try await server.publish(0..<2, to: "kept.a")
      #expect(await empty.texts(2) == ["\(positions[0]) kept.a\n0", "\(positions[1]) kept.a\n1"])
      let live = try await server.subscriber("/events?channel=kept.a&channel=other&positions=true")
      #expect(Set(await live.texts(2)) == ["=\(positions[1]) recovered kept.a\n", "=- recovered other\n"])
      try await server.publish(2..<3, to: "other")
      #expect(await live.receiveText() == "- other\n2")
    }
  }

  @Test("what a client sends is published as it is, also with positions")
  func publishes() async throws {
    try await withKeepingServer { server in
      let client = try await server.subscriber("/events?channel=kept.a&positions=true")
      let raw = try await server.subscriber("/events?channel=kept.a")
      await client.send("hello")
      #expect(await raw.receiveText() == "hello")
      _ = await client.receiveText()
      #expect(await client.receiveText()?.hasSuffix(" kept.a\nhello") == true)
    }
  }

  @Test("several channels each begin with their last")
  func severalChannels() async throws {
    try await withKeepingServer { server in
      try await server.publish(0..<3, to: "kept.a")
      try await server.publish(10..<13, to: "kept.b")
      let client = try await server.subscriber("/events?channel=kept.a&channel=kept.b&last=2")
      try await server.publish(3..<4, to: "kept.a")
      let texts = await client.texts(5)
      #expect(texts.filter { $0.count == 1 } == ["1", "2", "3"] && texts.filter { $0.count == 2 } == ["11", "12"])
    }
  }

  @Test("who joins while messages pour in gets each once and in order, wherever it begins")
  func joinsAFlood() async throws {
    try await withKeepingServer(messages: 50_000, loops: 2) { configuration in
      configuration.limits.backlogMessages = 100_000
    } _: { server in
      let total = 6_000
      let published = Counter()
      try await withThrowingTaskGroup { group in
        group.addTask {
          for start in stride(from: 0, to: total, by: 20) {
            let positions = try await server.publish(start..<start + 20, to: "kept.a")
            #expect(positions.last?.offset == UInt64(start + 20))
            published.add(20)
            // So that it takes some time, in which readers come.
            if start % 200 == 0 { try await Task.sleep(for: .milliseconds(1)) }
          }
        }
        for reader in 0..<40 {
          group.addTask {
            try await settle { published.value >= reader * total / 50 + 20 }
            let known = published.value
            let head = try #require(try await server.broadcast.history(of: "kept.a", limit: 1).head)
            var random = SeededGenerator(seed: UInt64(reader))
            let after = UInt64.random(in: 0...UInt64(known), using: &random)
            // At least one: whoever comes when all is published gets the last message all the same.
            let last = Int.random(in: 1...300, using: &random)
            let target =
              reader % 2 == 0
              ? "/events?channel=kept.a&last=\(last)"
              : "/events?channel=kept.a&after=\(MessagePosition(epoch: head.epoch, offset: after))"
            let client = try await server.subscriber(target)
            var next = reader % 2 == 0 ? nil : Int(after)
            while next != total {
              let number = try #require(
                Int(await client.receiveText() ?? ""), "\(target) at \(String(describing: next))")
              if let next { #expect(number == next) }
              next = number + 1
            }
            await client.leave()
          }
        }
        try await group.waitForAll()
      }
      try await settle { server.loggedBytes == 0 }
    }
  }

  @Test("a thousand sockets with the same past share its frames, and give them back")
  func shared() async throws {
    try await withKeepingServer { server in
      let payload = String(repeating: "x", count: 1_000)
      for _ in 0..<100 { try await server.broadcast.publish(payload, to: "kept.a") }
      var clients: [TestClient] = []
      for _ in 0..<50 { clients.append(try await server.connect()) }
      // They read nothing yet: what they are sent waits in their sockets, and the frames are one copy.
      try await withThrowingTaskGroup { group in
        for client in clients { group.addTask { _ = try await client.upgrade("/events?channel=kept.a&last=100") } }
        try await group.waitForAll()
      }
      #expect(server.loggedBytes <= 4 * 100 * 1_100)
      for client in clients { #expect(await client.texts(100).count == 100) }
      try await settle { server.loggedBytes == 0 }
    }
  }

  @Test("a past for which there is no memory is 503, and costs no other socket its place")
  func noRoom() async throws {
    try await withKeepingServer { configuration in
      configuration.limits.memory = 50_000
    } _: { server in
      let other = try await server.subscriber("/events?channel=other")
      for _ in 0..<60 { try await server.broadcast.publish(Message([UInt8](repeating: 1, count: 1_000), to: "kept.a")) }
      let response = try await server.connect().upgrade("/events?channel=kept.a&last=60")
      #expect(response?.status == .serviceUnavailable && response?.text.contains("past_too_large") == true)
      #expect(response?.headers["Retry-After"] == "1")
      let small = try await server.subscriber("/events?channel=kept.a&last=10")
      for _ in 0..<10 { #expect(await small.receive()?.bytes.count == 1_000) }
      try await server.publish(0..<1, to: "other")
      #expect(await other.receiveText() == "0")
      try await settle { server.loggedBytes == 0 }
    }
  }

  @Test("the limits of a slow socket hold for what waits behind its past")
  func slow() async throws {
    try await withKeepingServer { configuration in
      configuration.limits.backlogMessages = 50
    } _: { server in
      // The past alone is no reason to go, however much it is.
      for _ in 0..<100 {
        try await server.broadcast.publish(Message([UInt8](repeating: 1, count: 10_000), to: "kept.a"))
      }
      let patient = try await server.subscriber("/events?channel=kept.a&last=100")
      for _ in 0..<100 { #expect(await patient.receive()?.bytes.count == 10_000) }
      await patient.leave()
      let stalled = try await server.subscriber("/events?channel=kept.a&last=100")
      for _ in 0..<3_000 {
        try await server.broadcast.publish(Message([UInt8](repeating: 2, count: 10_000), to: "kept.a"))
      }
      #expect(await stalled.end()?.code == .missedMessages)
    }
  }

  @Test("a route of the program begins in the past too, and is told what there is")
  func routes() async throws {
    try await withKeepingServer(
      messages: 5,
      routes: { routes in
        routes.socket("/room") { request in
          try await request.subscribe(to: ["kept.a"], from: .last(2), positions: false)
        } handler: { socket, feed in
          let recovery = feed.recovery(of: "kept.a")
          try await socket.send("\(recovery?.messages ?? -1) \(feed.recovered) \(recovery?.head?.offset ?? 0)")
          try await feed.deliver(to: socket)
        }
        routes.socket("/two") { request in
          try await request.subscribe(to: ["kept.a", "kept.b"], from: .after(.beginning))
        } handler: { socket, feed in
          try await feed.deliver(to: socket)
        }
      }
    ) { server in
      try await server.publish(0..<3, to: "kept.a")
      let client = try await server.subscriber("/room")
      #expect(await client.texts(3) == ["2 true 3", "1", "2"])
      let refused = try await server.connect().upgrade("/two")
      #expect(refused?.status == .badRequest && refused?.text.contains("invalid_position") == true)
    }
  }
}
