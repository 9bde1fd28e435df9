//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("GET /events", .timeLimit(.minutes(1)))
struct EventsTests {
  @Test("the 101 says that the subscription stands: what is published right after it arrives, what was before does not")
  func subscribed() async throws {
    try await withServer { server in
      for number in 0..<50 {
        try await server.broadcast.publish("before \(number)", to: "events")
        let subscriber = try await server.subscriber()
        try await server.broadcast.publish("after \(number)", to: "events")
        #expect(await subscriber.receiveText() == "after \(number)")
        await subscriber.disconnect()
      }
    }
  }

  @Test("who joins while another publisher floods gets all from one message on, and none from before")
  func joinsAFlood() async throws {
    try await withServer(loops: 2) { server in
      let (isOver, count) = (Gate(), Counter())
      try await runUntilFirstCompletes(
        {
          while !isOver.isOpen {
            for _ in 0..<32 {
              try await server.broadcast.publish("\(count.next())", to: "events")
            }
            await Task.yield()
          }
        },
        {
          for _ in 0..<40 {
            let before = count.value
            let subscriber = try await server.subscriber()
            let after = count.value
            let first = try #require(Int(await subscriber.receiveText() ?? ""))
            // The last message before the request is under way when the count is read.
            #expect(first >= before - 1)
            #expect(first <= after + 1)
            for expected in first + 1..<first + 200 { #expect(await subscriber.receiveText() == "\(expected)") }
            await subscriber.disconnect()
          }
          isOver.open()
        })
    }
  }

  @Test("one socket may have several channels, each once")
  func severalChannels() async throws {
    try await withServer { server in
      let subscriber = try await server.subscriber("/events?channel=a&channel=b&channel=a&channel=%F0%9F%98%80")
      for channel in ["a", "events", "b", "😀", "c", "a"] {
        try await server.broadcast.publish(channel, to: Channel(channel))
      }
      var got: Set<String> = []
      for _ in 0..<4 { got.insert(await subscriber.receiveText() ?? "-") }
      #expect(got == ["a", "b", "😀"])
      try await server.broadcast.publish("last", to: "b")
      #expect(await subscriber.receiveText() == "last")
      #expect(server.broadcast.statistics.channels == 3)
    }
  }

  @Test("what a client sends is published to its first channel, text as text, in its order")
  func publishes() async throws {
    try await withServer(loops: 2) { server in
      let subscriber = try await server.subscriber("/events?channel=b")
      let sender = try await server.subscriber("/events?channel=b&channel=a")
      let bytes: [UInt8] = [0, 0xFF, 7]
      await sender.send(.binary(bytes))
      await sender.send(.text(""))
      for number in 0..<500 { await sender.send("\(number)") }
      #expect(await subscriber.receive() == .binary(bytes))
      #expect(await subscriber.receive() == .text(""))
      for number in 0..<500 { #expect(await subscriber.receiveText() == "\(number)") }
      // It is a subscriber itself.
      #expect(await sender.receive() == .binary(bytes))
      await sender.leave()
      await subscriber.leave()
    }
  }

  @Test("frames sent right before the close frame are published")
  func sendsAndLeaves() async throws {
    try await withServer { server in
      let subscriber = try await server.subscriber()
      let sender = try await server.subscriber()
      for number in 0..<100 { await sender.send("\(number)") }
      await sender.leave()
      for number in 0..<100 { #expect(await subscriber.receiveText() == "\(number)") }
    }
  }

  @Test("a frame over the limit closes with 1009, one at the limit is published")
  func frameLimit() async throws {
    try await withServer { configuration in
      configuration.limits.message = 1000
    } _: { server in
      let client = try await server.subscriber()
      await client.send(.binary([UInt8](repeating: 1, count: 1000)))
      let got = await client.receive()
      #expect(got?.bytes.count == 1000)
      await client.send(.binary([UInt8](repeating: 1, count: 1001)))
      #expect(await client.end()?.code == .messageTooLarge)
      #expect(server.broadcast.statistics.published == 1)
    }
  }

  @Test(
    "channels that a client may not have are refused before the handshake",
    arguments: [
      ("/events?channel=", 400, "invalid_channel"), ("/events?channel=%00", 400, "invalid_channel"),
      ("/events?channel=%ff", 400, "malformed"), ("/events?channel=other", 403, "channel_not_allowed"),
      ("/events", 403, "channel_not_allowed"), ("/events?channel=chat.1&channel=other", 403, "channel_not_allowed"),
      ("/events?channel=chat.1&channel=chat.2&channel=chat.3", 400, "too_many_channels"),
      ("/events?chanel=chat.1", 400, "unknown_parameter"), ("/events?channel=chat.1&x", 400, "unknown_parameter"),
    ])
  func refusedChannels(target: String, status: Int, code: String) async throws {
    try await withServer { configuration in
      configuration.limits.channels = 2
      if let patterns = try? ChannelPatterns(["chat.*"]) { configuration.channels = patterns }
    } _: { server in
      let client = try await server.connect()
      let answer = try #require(try await client.upgrade(target))
      #expect(answer.status.code == status)
      #expect(answer.text.contains(#""code": "\#(code)""#), "\(answer.text)")
      // The connection is of use.
      #expect(
        try await client.upgrade("/events?channel=chat.1&channel=chat.2&channel=chat.1")?.status == .switchingProtocols)
      let pusher = try await server.connect()
      #expect(try await pusher.post(json: #"{"message":1,"channel":"other"}"#)?.status == .forbidden)
      #expect(try await pusher.post("/push", "text/plain", [65])?.status == .forbidden)
      #expect(try await pusher.post(json: #"{"message":1,"channel":"chat.2"}"#)?.status == .ok)
      #expect(await client.receiveText() == "1")
    }
  }

  @Test(
    "a page of another origin is refused, on both endpoints",
    arguments: [
      ("http://evil.example", "localhost", 403), ("null", "localhost", 403), ("http://localhost", "localhost", 101),
      ("http://rebound.example", "rebound.example", 403),
    ])
  func origins(origin: String, host: String, status: Int) async throws {
    try await withServer { server in
      let client = try await server.connect()
      #expect(try await client.upgrade("/events", ["Host": host, "Origin": origin])?.status.code == status)
      let pusher = try await server.connect()
      let answer = try await pusher.post("/push", "text/plain", [65], ["Host": host, "Origin": origin])
      #expect(answer?.status.code == (status == 101 ? 200 : 403))
    }
  }

  @Test("a wrong handshake is 400 or 426, and subscribes to nothing")
  func wrongHandshake() async throws {
    try await withServer { server in
      let client = try await server.connect()
      let version = try await client.request(
        .get, "/events",
        [
          "Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Version": "8",
          "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        ])
      #expect(version?.status == .upgradeRequired)
      #expect(version?.headers["Sec-WebSocket-Version"] == "13")
      #expect(version?.headers["Upgrade"] == "websocket")
      #expect(version?.headers.values(of: "Content-Type") == ["application/json"])
      #expect(
        version?.text
          == #"{"error": {"code": "upgrade_required", "message": "The only version of WebSocket that is spoken is 13."}}"#
      )
      let key = try await client.request(
        .get, "/events", ["Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Version": "13"])
      #expect(key?.status == .badRequest)
      #expect(key?.text.hasPrefix(#"{"error": {"code": "bad_handshake", "message": "Sec-WebSocket-Key "#) == true)
      #expect(server.broadcast.statistics.subscribers == 0)
    }
  }

  @Test("the last to leave ends the subscription and frees all memory")
  func leaving() async throws {
    try await withServer(loops: 2) { server in
      var clients: [TestClient] = []
      for _ in 0..<20 { clients.append(try await server.subscriber("/events?channel=a&channel=b")) }
      for number in 0..<100 { try await server.broadcast.publish("\(number)", to: number % 2 == 0 ? "a" : "b") }
      for (index, client) in clients.enumerated() {
        if index % 2 == 0 { await client.leave() } else { await client.reset() }
      }
      try await settle { server.broadcast.statistics.subscribers == 0 && server.heldBytes == 0 }
      #expect(server.broadcast.statistics.channels == 0)
    }
  }
}
