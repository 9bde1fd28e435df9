//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The number of connections", .timeLimit(.minutes(1)))
struct ConnectionAllowanceTests {
  @Test("at the limit a new client waits, and is served when another leaves")
  func waits() async throws {
    let asked = Journal<String>()
    let handler = TestHandler(respond: { request in
      asked.add(request.target)
      return .text("served")
    })
    try await withServer(handler, connections: 2) { server in
      let sockets = [try await server.connect(), try await server.connect()]
      for socket in sockets { #expect(await socket.upgrade()) }
      let next = try await server.connect()
      await next.get("/next")
      for _ in 0..<50 {
        await sockets[0].send(clientFrame(1, "round"))
        #expect(await sockets[0].frame() == .message(.text("round")))
      }
      #expect(asked.entries.isEmpty)
      await sockets[1].close()
      #expect(await next.text() == "served")
      // Those who had a place keep it.
      await sockets[0].send(clientFrame(1, "still"))
      #expect(await sockets[0].frame() == .message(.text("still")))
    }
  }

  @Test("who waits for a request goes for a new client, first who never made one")
  func silentGo() async throws {
    try await withServer(connections: 3) { server in
      let used = try await server.connect()
      await used.get("/1")
      #expect(await used.response()?.status == .ok)
      let silent = try await server.connect()
      let socket = try await server.connect()
      #expect(await socket.upgrade())
      let next = try await server.connect()
      await next.get("/next")
      #expect(await next.text() == "GET /next ")
      #expect(await silent.rest() == [])
      await used.get("/2")
      #expect(await used.text() == "GET /2 ")
      await socket.send(clientFrame(1, "still"))
      #expect(await socket.frame() == .message(.text("still")))
    }
  }

  @Test("the silent ones go on whichever loop they are")
  func severalLoops() async throws {
    try await withServer(connections: 4, loops: 2) { server in
      let silent = [try await server.connect(), try await server.connect(), try await server.connect()]
      let used = try await server.connect()
      await used.get("/")
      #expect(await used.response()?.status == .ok)
      // The kernel spreads them over the loops by their ports.
      for number in 0..<12 {
        let next = try await server.connect()
        await next.get("/\(number)", "Connection: close\r\n")
        #expect(await next.text() == "GET /\(number) ")
        await next.close()
      }
      for client in silent { await client.close() }
    }
  }

  @Test("a stop does not wait for clients that wait to be served")
  func stop() async throws {
    try await withServer(connections: 1) { server in
      let socket = try await server.connect()
      #expect(await socket.upgrade())
      let waiting = [try await server.connect(), try await server.connect()]
      for client in waiting { await client.get("/") }
      server.stop()
      for client in waiting { #expect(await client.rest() == []) }
      await socket.close()
      await server.ended()
    }
  }

  /// In a process of its own, for the limit binds the whole process.
  @Test("descriptors used up: good clients go on, silent ones go, and new ones are served")
  func descriptors() async {
    await #expect(processExitsWith: .success) {
      let events = Journal<Bool>()
      let onEvent: @Sendable (ListenerEvent) -> Void = { event in
        if case .held = event { events.add(true) } else { events.add(false) }
      }
      try await withServer(loops: 2, onEvent: onEvent) { server in
        let socket = try await server.connect()
        guard await socket.upgrade() else { exit(2) }
        let used = try await server.connect()
        await used.get("/1")
        guard await used.response()?.status == .ok else { exit(3) }
        var silent: [TestClient] = []
        for _ in 0..<200 { silent.append(try await server.connect()) }
        // All are accepted when later ones of each loop are served.
        for number in 0..<20 {
          let client = try await server.connect()
          await client.get("/\(number)")
          guard await client.text() == "GET /\(number) " else { exit(4) }
        }
        var taken: [Int32] = []
        ProcessDescriptors.limit(to: 600)
        while case let number = dup(0), number >= 0 { taken.append(number) }
        // One for the new client's end, and none for the server's.
        close(taken.removeLast())
        let next = try await server.connect()
        await next.get("/next")
        guard await next.text() == "GET /next " else { exit(5) }
        guard events.entries == [true, false] else { exit(6) }
        await used.get("/2")
        guard await used.text() == "GET /2 " else { exit(7) }
        await socket.send(clientFrame(1, "still"))
        guard await socket.frame() == .message(.text("still")) else { exit(8) }
        for number in taken { close(number) }
      }
      exit(0)
    }
  }

  #if os(Linux)
    @Test("nobody has to go where accepting fails for another reason than want of room")
    func brokenListener() async throws {
      let held = Signal()
      let onEvent: @Sendable (ListenerEvent) -> Void = { event in
        if case .held = event { held.give() }
      }
      try await withServer(onEvent: onEvent) { server in
        let client = try await server.connect()
        await client.get("/1")
        #expect(await client.text() == "GET /1 ")
        try #require(shutdown(ProcessDescriptors.listening(on: server.address.port), Int32(SHUT_RDWR)) == 0)
        await held.wait()
        // Longer than a client is left alone that waits, and the sweep behind it.
        try await server.clientLoop.sleep(for: .milliseconds(2500))
        await client.get("/2")
        #expect(await client.text() == "GET /2 ")
      }
    }
  #endif
}
