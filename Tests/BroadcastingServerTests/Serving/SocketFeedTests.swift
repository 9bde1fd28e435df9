//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer
import BroadcastingWeb
import TestSupport
import Testing

@Suite("What a route delivers to its socket", .timeLimit(.minutes(1)))
struct SocketFeedTests {
  @Test("a handler that only delivers ends with its socket, closed or reset")
  func deliversAlone() async throws {
    let ended = Counter()
    try await withServer(routes: { routes in
      routes.socket("/feed", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
        try await feed.deliver(to: socket)
        ended.next()
      }
    }) { server in
      for round in 1...2 {
        let client = try await server.subscriber("/feed")
        try await server.broadcast.publish("x", to: "a")
        #expect(await client.receiveText() == "x")
        if round == 1 { await client.disconnect() } else { await client.reset() }
        try await settle { ended.value == round }
      }
      #expect(server.broadcast.statistics.subscribers == 0)
    }
  }

  @Test("a handler that received once and then only delivers ends with its socket, whenever the client goes")
  func receivesOnce() async throws {
    let (received, ended, delivering) = (Gate(), Counter(), Gate())
    try await withServer(
      configure: { $0.timeouts.socket.close = .milliseconds(100) },
      routes: { routes in
        routes.socket("/feed", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
          defer { ended.next() }
          if await socket.receive()?.text == "late" {
            received.open()
            await delivering.wait()
          }
          try await feed.deliver(to: socket)
        }
      }
    ) { server in
      let early = try await server.subscriber("/feed")
      await early.send("early")
      try await server.broadcast.publish("x", to: "a")
      #expect(await early.receiveText() == "x")
      await early.reset()
      try await settle { ended.value == 1 }

      let late = try await server.subscriber("/feed")
      await late.send("late")
      await received.wait()
      await late.reset()
      delivering.open()
      try await settle { ended.value == 2 && server.broadcast.statistics.subscribers == 0 }
    }
  }

  @Test("the end of a connection does not break off what is done with its last message")
  func lastMessage() async throws {
    let (received, finished) = (Gate(), Gate())
    try await withServer(routes: { routes in
      routes.socket("/feed", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
        try await runUntilFirstCompletes(
          {
            while await socket.receive() != nil {
              received.open()
              while await socket.closed == nil { try await socket.loop.sleep(for: .milliseconds(1)) }
              // The loop has closed the connection by then, and told of it.
              for _ in 0..<3 { try await socket.loop.sleep(for: .milliseconds(1)) }
              #expect(!Task.isCancelled)
              finished.open()
            }
          },
          { try await feed.deliver(to: socket) })
      }
    }) { server in
      let client = try await server.subscriber("/feed")
      await client.send("last")
      await received.wait()
      await client.reset()
      await finished.wait()
      try await settle { server.broadcast.statistics.subscribers == 0 }
    }
  }

  @Test("a feed is delivered once, to a socket of its own loop, and from whatever task")
  func misuse() async throws {
    let others = Sockets()
    try await withServer(
      loops: 2,
      routes: { routes in
        routes.socket("/feed", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
          try await withThrowingTaskGroup { group in
            // Not on the loop, as the tasks of somebody else's group may be.
            group.addTask(executorPreference: globalConcurrentExecutor) { try await feed.deliver(to: socket) }
            group.addTask { while await socket.receive() != nil {} }
            try await group.next()
            group.cancelAll()
          }
          await #expect(throws: WebSocketClosure.self) { try await feed.deliver(to: socket) }
        }
        routes.socket(
          "/two", accept: { [try await $0.subscribe(to: ["a"]), try await $0.subscribe(to: ["b"])] }
        ) { socket, feeds in
          try await runUntilFirstCompletes(
            { try await feeds[0].deliver(to: socket) }, { try await feeds[1].deliver(to: socket) })
        }
        routes.socket("/held", accept: { _ in }) { socket, _ in
          others.add(socket)
          while await socket.receive() != nil {}
        }
        routes.socket("/astray", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
          if let other = others.other(than: socket.loop) { try await feed.deliver(to: other) }
        }
      }
    ) { server in
      let client = try await server.subscriber("/feed")
      try await server.broadcast.publish("x", to: "a")
      #expect(await client.receiveText() == "x")
      await client.disconnect()
      let two = try await server.subscriber("/two")
      #expect(await two.end()?.code == .internalError)
      // Clients come until both loops have one.
      while !others.hasTwoLoops { _ = try await server.subscriber("/held") }
      let astray = try await server.subscriber("/astray")
      #expect(await astray.end()?.code == .internalError)
    }
  }
}

/// Sockets of several loops.
private final class Sockets: Sendable {
  private let all = Lock<[WebSocket]>([])
  func add(_ socket: WebSocket) { all.withLock { $0.append(socket) } }
  var hasTwoLoops: Bool { all.withLock { sockets in sockets.contains { $0.loop !== sockets[0].loop } } }
  func other(than loop: EventLoop) -> WebSocket? { all.withLock { $0.first { $0.loop !== loop } } }
}
