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

@Suite("Live resources after a gap", .timeLimit(.minutes(1)))
struct LiveGapTests {
  func withBroker(
    configure: (inout BroadcastServer.Configuration) -> Void = { _ in }, routes: (inout Routes) -> Void,
    _ body: @Sendable (ScriptedDriver, RunningServer) async throws -> Void
  ) async throws {
    let driver = ScriptedDriver()
    var configuration = HubConfiguration()
    configuration.shortestReconnectDelay = .milliseconds(1)
    configuration.longestReconnectDelay = .milliseconds(1)
    try await withBroadcast(Hub(driver: driver, configuration: configuration)) { broadcast in
      try await withServer(over: broadcast, configure: configure, routes: routes) { try await body(driver, $0) }
    }
  }

  @Test("the state is read again and sent on the same socket", arguments: [nil, "shared"])
  func again(sharedName: String?) async throws {
    let ledger = Ledger()
    try await withBroker(routes: { ledger.add(to: &$0, sharedName: sharedName) }) { driver, server in
      try await server.change("a", in: ledger)
      var clients: [TestClient] = []
      for index in 0..<40 { clients.append(try await server.subscriber(index % 2 == 0 ? "/ledger" : "/ledger/a")) }
      for client in clients { _ = await client.texts(1) }
      // Half of them have read the log, the others are new.
      for round in 1...2 {
        let before = ledger.reads.value
        _ = ledger.change("a")
        if round == 1 { driver.lose() } else { driver.script.withLock { $0.inbox }?.missed(1, on: "ledger") }
        for (index, client) in clients.enumerated() {
          #expect(await client.texts(1) == [(index % 2 == 0 ? "=a " : "=") + "\(round * 2)"])
        }
        #expect(ledger.reads.value - before == (sharedName == nil ? 40 : 2))
        try await server.change("a", in: ledger)
        for client in clients { #expect(await client.texts(1) == ["a \(round * 2 + 1)"]) }
      }
    }
  }

  @Test("what changes while it is read again is not missed, nor is a second gap")
  func secondGap() async throws {
    let ledger = Ledger()
    let holds = Lock(false)
    let (entered, mayReturn) = (Gate(), Gate())
    try await withBroker(routes: { routes in
      routes.live("/ledger/:key") { request in
        LiveResource(ledger.changes, key: "a") {
          let state = try ledger.state("a")
          if holds.withLock({ $0 }) {
            entered.open()
            await mayReturn.wait()
          }
          return LiveState(state.text, version: state.version)
        }
      }
    }) { driver, server in
      try await server.change("a", in: ledger)
      let client = try await server.subscriber("/ledger/a")
      #expect(await client.texts(1) == ["=1"])
      holds.withLock { $0 = true }
      let inbox = driver.script.withLock { $0.inbox }
      inbox?.missed(1, on: "ledger")
      await entered.wait()
      try await server.change("a", in: ledger)
      _ = ledger.change("a")
      inbox?.missed(1, on: "ledger")
      try await server.change("a", in: ledger)
      // The gap is in front of that.
      try await settle { server.broadcast.statistics.bytesHeld == 0 }
      mayReturn.open()
      // The state that was read between the gaps would be followed by a hole.
      #expect(await client.texts(1) == ["=4"])
      try await server.change("a", in: ledger)
      #expect(await client.texts(1) == ["a 5"])
    }
  }

  @Test("a state that cannot be read is tried again; one that is gone closes with 4404, a refusal with 1008")
  func failures() async throws {
    let ledger = Ledger()
    let errors = Lock<[any Error]>([])
    try await withBroker(routes: { routes in
      routes.live("/ledger") { _ in
        LiveResource(ledger.changes, sharedName: "all") {
          if let error = errors.withLock({ $0.popLast() }) { throw error }
          return LiveState(try ledger.state().text)
        }
      }
    }) { driver, server in
      let cases: [(errors: [any Error], code: WebSocketCloseCode?)] = [
        ([LedgerError()], nil),
        ([RequestError(.notFound, "gone", "It is gone.")], .notFound),
        ([RequestError(.forbidden, "forbidden", "No more.")], .policyViolation),
      ]
      for (thrown, code) in cases {
        let clients = [try await server.subscriber("/ledger"), try await server.subscriber("/ledger")]
        for client in clients { #expect(await client.texts(1).count == 1) }
        errors.withLock { $0 = thrown }
        driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
        for client in clients {
          if let code { #expect(await client.end()?.code == code) } else { #expect(await client.texts(1).count == 1) }
        }
      }
    }
  }

  @Test("a state that stays unreadable closes its sockets, and the program is told why")
  func unreadable() async throws {
    let ledger = Ledger()
    let isBroken = Lock(false)
    try await withBroker(routes: { routes in
      routes.live("/ledger") { _ in
        LiveResource(ledger.changes, sharedName: "all") {
          if isBroken.withLock({ $0 }) { throw LedgerError() }
          return LiveState(try ledger.state().text)
        }
      }
    }) { driver, server in
      let clients = [try await server.subscriber("/ledger"), try await server.subscriber("/ledger")]
      for client in clients { #expect(await client.texts(1).count == 1) }
      isBroken.withLock { $0 = true }
      driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
      var codes: Set<WebSocketCloseCode?> = []
      for client in clients { codes.insert(await client.end()?.code) }
      #expect(codes == [.internalError, .tryAgainLater])
      #expect(server.events.all.filter { $0.kind == .socketFailed && $0.error is LedgerError }.count == 1)
    }
  }

  @Test("a client that reads the first reading's state alone goes away: another one reads for the rest")
  func readerLeaves() async throws {
    let ledger = Ledger()
    let (reads, mayReturn) = (Counter(), Gate())
    try await withBroker(routes: { routes in
      routes.live("/ledger") { _ in
        LiveResource(ledger.changes, sharedName: "all") {
          if reads.next() > 1 { await mayReturn.wait() }
          return LiveState(try ledger.state().text)
        }
      }
    }) { driver, server in
      var clients: [TestClient] = []
      for _ in 0..<2 {
        clients.append(try await server.subscriber("/ledger"))
        _ = await clients.last?.texts(1)
      }
      driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
      try await settle { reads.value == 3 }
      await clients[0].reset()
      mayReturn.open()
      #expect(await clients[1].texts(1) == ["="])
    }
  }

  @Test(
    "a slow client gets a new state when it reads again, and is closed with 4000 when it falls behind at once again")
  func slowReader() async throws {
    let ledger = Ledger()
    let padding = String(repeating: "x", count: 60_000)
    // The same numbers, in frames that fill a socket.
    let changes = LiveChanges(of: ["ledger"]) { message in
      message.text.map { LiveChange("\(padding) \($0.split(separator: " ")[1])", keys: ["a"]) }
    }
    try await withBroker(
      configure: {
        $0.limits.backlogBytes = 1 << 20
        $0.timeouts.lag = .seconds(3_600)
      },
      routes: { routes in
        routes.live("/ledger/:key") { _ in
          LiveResource(changes, key: "a") { LiveState(try ledger.state("a").text) }
        }
      }
    ) { driver, server in
      try await server.change("a", in: ledger)
      let slow = try await server.subscriber("/ledger/a")
      let quick = try await server.subscriber("/ledger/a")
      let count = 300
      async let seen = quick.follow(to: count)
      for _ in 2...count {
        try await server.change("a", in: ledger)
        // Not faster than the quick one reads.
        try await settle { server.loggedBytes < 2 << 20 }
      }
      #expect(await seen == count)
      let before = ledger.reads.value
      // It missed some of them, and has nothing twice.
      var states = 0
      var number = 0
      while number < count, let text = await slow.receiveText() {
        let next = Int(text.drop { $0 == "=" || $0 == "x" || $0 == " " }) ?? 0
        if text.hasPrefix("=") { states += 1 } else { #expect(next == number + 1) }
        number = next
      }
      #expect(number == count)
      #expect(states == 2)
      #expect(ledger.reads.value == before + 1)
      try await server.change("a", in: ledger)
      #expect(await slow.receiveText()?.hasSuffix(" \(count + 1)") == true)

      // It reads only once the server has found out that it is behind: when all has come from the broker, and been taken.
      try await server.broadcast.withSubscription(to: "ledger") { arrivals in
        var iterator = arrivals.makeAsyncIterator()
        for _ in 0..<count {
          try await server.change("a", in: ledger)
          _ = try await iterator.next()
        }
      }
      try await settle { server.broadcast.statistics.bytesHeld == 0 }
      #expect(await slow.end()?.code == .missedMessages)
    }
  }

  @Test("a socket that falls behind in the turn of a gap gets one new state, and each change once")
  func behindAtGap() async throws {
    let ledger = Ledger()
    let inbox = Lock<DriverInbox?>(nil)
    try await withBroker(routes: { routes in
      ledger.add(to: &routes, sharedName: "all")
      routes.get("/fall") { request in
        await request.fanOut.fallBehind { inbox.withLock { $0 }?.missed(1, on: "ledger") }
        return .empty()
      }
    }) { driver, server in
      inbox.withLock { $0 = driver.script.withLock { $0.inbox } }
      try await server.change("a", in: ledger)
      let client = try await server.subscriber("/ledger/a")
      #expect(await client.texts(1) == ["=1"])
      // From here on it reads the log.
      try await server.change("a", in: ledger)
      #expect(await client.texts(1) == ["a 2"])
      let before = ledger.reads.value
      _ = try await server.connect().request(.get, "/fall")
      #expect(await client.texts(1) == ["=2"])
      try await server.change("a", in: ledger)
      #expect(await client.texts(1) == ["a 3"])
      #expect(ledger.reads.value == before + 1)
    }
  }
}

extension FanOut {
  /// All sockets of live resources fall behind, and in the same turn of the loop something else happens.
  fileprivate func fallBehind(at action: @Sendable () -> Void) {
    for source in liveSources.values {
      for feed in source.feeds { for reader in feed.readers { missState(reader.member) } }
    }
    action()
  }
}
