//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("Changes while a state is read", .timeLimit(.minutes(1)))
struct LiveRaceTests {
  /// How a state says what it has.
  enum Knowledge: CaseIterable { case nothing, version, closure }

  @Test("changes are sent once and in order, wherever in the reading they come", arguments: Knowledge.allCases)
  func race(_ knowledge: Knowledge) async throws {
    let ledger = Ledger()
    let (entered, looked) = (Gate(), Gate())
    let (mayLook, mayReturn) = (Gate(), Gate())
    try await withServer(routes: { routes in
      routes.live("/number") { _ in
        LiveResource(ledger.changes, key: "a") {
          entered.open()
          await mayLook.wait()
          let state = try ledger.state("a")
          looked.open()
          await mayReturn.wait()
          switch knowledge {
          case .nothing: return LiveState(state.text)
          case .version: return LiveState(state.text, version: state.version)
          case .closure: return LiveState(state.text) { ($0.version ?? 0) <= state.version }
          }
        }
      }
    }) { server in
      try await server.change("a", in: ledger)
      async let joining = server.subscriber("/number")
      await entered.wait()
      // The state will have it.
      try await server.change("a", in: ledger)
      // This one too, but it is told of late.
      let late = ledger.change("a")
      mayLook.open()
      await looked.wait()
      try await server.broadcast.publish(late, to: "ledger")
      try await server.change("a", in: ledger)
      mayReturn.open()
      let client = try await joining
      try await server.change("a", in: ledger)
      switch knowledge {
      case .nothing: #expect(await client.texts(5) == ["=3", "a 2", "a 3", "a 4", "a 5"])
      case .version, .closure: #expect(await client.texts(3) == ["=3", "a 4", "a 5"])
      }
    }
  }

  @Test("a change that comes behind the state which has it is not sent", arguments: [nil, "shared"])
  func lateChange(sharedName: String?) async throws {
    let ledger = Ledger()
    try await withServer(routes: { ledger.add(to: &$0, sharedName: sharedName) }) { server in
      let late = ["a", "b", "a"].map { ledger.change($0) }
      let (all, one) = (try await server.subscriber("/ledger"), try await server.subscriber("/ledger/a"))
      #expect(await all.texts(1) == ["=a 2,b 1"])
      #expect(await one.texts(1) == ["=2"])
      try await server.broadcast.publish(late[0], to: "ledger")
      // The rest together with what is new.
      let rest = late[1...] + [ledger.change("a"), ledger.change("b"), ledger.change("a")]
      try await server.broadcast.publish(rest.map { Message($0, to: "ledger") })
      try await server.change("a", in: ledger)
      #expect(await all.texts(4) == ["a 3", "b 2", "a 4", "a 5"])
      #expect(await one.texts(3) == ["a 3", "a 4", "a 5"])
    }
  }

  @Test("sockets of a name that come together share a reading; without a name each has its own")
  func sharing() async throws {
    for name in ["all", nil] {
      let (mayReturn, entered) = (Gate(), Counter())
      let ledger = Ledger()
      try await withServer(routes: { routes in
        routes.live("/ledger") { _ in
          LiveResource(ledger.changes, sharedName: name) {
            entered.next()
            await mayReturn.wait()
            let state = try ledger.state()
            return LiveState(state.text, version: state.version)
          }
        }
      }) { server in
        // As many as may read at a time.
        let clients = try await withThrowingTaskGroup(of: TestClient.self) { group in
          for _ in 0..<20 { group.addTask { try await server.subscriber("/ledger") } }
          try await settle { entered.value == (name == nil ? 16 : 1) }
          try await server.change("a", in: ledger)
          mayReturn.open()
          return try await group.reduce(into: []) { $0.append($1) }
        }
        try await server.change("a", in: ledger)
        for client in clients { #expect(await client.texts(2) == ["=a 1", "a 2"]) }
        // Whoever connected later than the others may have come behind the first reading.
        if name == nil { #expect(entered.value == 20) } else { #expect(entered.value < 20) }
      }
    }
  }

  @Test("more changes than a socket may be behind, while the state is read, are 503")
  func overflow() async throws {
    let ledger = Ledger()
    let (entered, mayReturn) = (Gate(), Gate())
    try await withServer(
      configure: { $0.limits.backlogMessages = 10 },
      routes: { routes in
        routes.live("/ledger") { _ in
          LiveResource(ledger.changes) {
            entered.open()
            await mayReturn.wait()
            return LiveState("=")
          }
        }
      }
    ) { server in
      let client = try await server.connect()
      async let answer = client.upgrade("/ledger")
      await entered.wait()
      for _ in 0..<11 { try await server.change("a", in: ledger) }
      try await settle { server.broadcast.statistics.bytesHeld == 0 }
      mayReturn.open()
      let response = try await answer
      #expect(response?.status == .serviceUnavailable)
      #expect(response?.text.contains("state_too_slow") == true)
    }
  }

  @Test("a change on one channel is not taken for one that waited on another when the state was read")
  func severalChannels() async throws {
    let driver = ScriptedDriver()
    let changes = LiveChanges(of: ["x", "y"]) { message in message.text.map { LiveChange($0) } }
    let order = Lock<[Channel]>(["x", "y"])
    @Sendable func receive(_ text: String, _ index: Int) {
      let channel = order.withLock { $0[index] }
      driver.script.withLock { $0.inbox }?.received(Message(text, to: channel))
    }
    try await withBroadcast(Hub(driver: driver)) { broadcast in
      try await withServer(
        over: broadcast,
        routes: { routes in
          routes.live("/begun") { _ in LiveResource(changes) { LiveState("=") } }
          routes.socket("/late") { request in
            let resource = LiveResource(changes) {
              receive("after", 1)
              try await settle { broadcast.statistics.bytesHeld == 0 }
              return LiveState("=")
            }
            // More than is taken at a time.
            let member = try await request.fanOut.join(
              resource, behind: { for _ in 0..<2_000 { receive("before", 0) } })
            let feed = SocketFeed(member)
            return Routes.Acceptance { socket in await feed.deliverLive(to: socket) }
          }
        }
      ) { server in
        let first = try await server.subscriber("/begun")
        #expect(await first.texts(1) == ["="])
        for next in [["x", "y"], ["y", "x"], ["y", "x"], ["x", "y"], ["x", "y"], ["y", "x"]] {
          order.withLock { $0 = next.map { Channel($0) } }
          let late = try await server.subscriber("/late")
          receive("end", 1)
          var texts: [String] = []
          while texts.last != "end", let text = await late.receiveText() { texts.append(text) }
          #expect(texts.contains("after"))
          await late.leave()
        }
      }
    }
  }

  @Test(
    "what was deleted before a reading that finds it again is not closed as deleted, whether that is known during the reading or behind it",
    arguments: [true, false])
  func madeAnew(isLong: Bool) async throws {
    let driver = ScriptedDriver()
    let changes = LiveChanges(of: ["items"]) { LiveChange($0.text ?? "", keys: ["a"], isDeletion: $0.text == "a -") }
    try await withBroadcast(Hub(driver: driver)) { broadcast in
      try await withServer(
        over: broadcast,
        routes: { routes in
          routes.live("/items") { _ in LiveResource(changes) { LiveState("=") } }
          routes.socket("/items/a") { request in
            let resource = LiveResource(changes, key: "a") {
              if isLong { try await settle { broadcast.statistics.bytesHeld == 0 } }
              return LiveState("=anew")
            }
            let member = try await request.fanOut.join(
              resource,
              behind: {
                // More than is taken at a time.
                let texts = Array(repeating: "a", count: 2_000) + ["a -"]
                driver.script.withLock { $0.inbox }?.received(texts.map { Message($0, to: "items") }, on: "items")
              })
            let feed = SocketFeed(member)
            return Routes.Acceptance { socket in await feed.deliverLive(to: socket) }
          }
        }
      ) { server in
        _ = try await server.subscriber("/items")
        let client = try await server.subscriber("/items/a")
        while let text = await client.receiveText() { #expect(text == "=anew") }
        #expect(await client.close?.code == .missedMessages)
      }
    }
  }

  @Test("100 sockets that come at random while 2,000 changes pass miss none and get none twice", arguments: [1, 2])
  func random(loops: Int) async throws {
    let ledger = Ledger()
    let last = 2_000
    try await withServer(loops: loops, routes: { ledger.add(to: &$0, sharedName: nil) }) { server in
      _ = ledger.change("a")
      try await withThrowingTaskGroup { group in
        for index in 0..<100 {
          group.addTask {
            let start = Int.random(in: 0..<last)
            try await settle { ledger.version >= UInt64(start) }
            let client = try await server.subscriber(index % 2 == 0 ? "/ledger/a" : "/ledger/a?x")
            #expect(await client.follow(to: last) == last)
          }
        }
        group.addTask {
          for number in 2...last {
            try await server.change("a", in: ledger)
            if number % 50 == 0 { try await Task.sleep(for: .milliseconds(1)) }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}

extension FanOut {
  /// Joins while something that came in the same turn of the loop still waits.
  fileprivate func join(_ resource: LiveResource, behind action: @Sendable () -> Void) async throws -> Member {
    action()
    return try await join(resource)
  }
}
