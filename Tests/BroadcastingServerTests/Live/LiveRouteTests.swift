//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer
import BroadcastingWeb
import TestSupport
import Testing

@Suite("Live routes", .timeLimit(.minutes(1)))
struct LiveRouteTests {
  @Test("a socket gets the state and then every change, beside GET at the same path; one of a key gets only its own")
  func stateAndChanges() async throws {
    let ledger = Ledger()
    try await withServer(routes: { ledger.add(to: &$0) }) { server in
      for key in ["a", "b"] { try await server.change(key, in: ledger) }
      let answer = try await server.connect().request(.get, "/ledger/a")
      #expect(answer?.text == "=1")
      let all = try await server.subscriber("/ledger")
      let one = try await server.subscriber("/ledger/a")
      for key in ["b", "a", "b", "a"] { try await server.change(key, in: ledger) }
      try await server.broadcast.publish("nothing", to: "ledger")
      try await server.change("a", in: ledger)
      #expect(await all.texts(6) == ["=a 1,b 1", "b 2", "a 2", "b 3", "a 3", "a 4"])
      #expect(await one.texts(4) == ["=1", "a 2", "a 3", "a 4"])
      let plain = try await server.connect().request(.get, "/ledger")
      #expect(plain?.status == .upgradeRequired)
    }
  }

  @Test("what the resource or its state throws is the answer in place of the 101, and nobody stays subscribed")
  func refused() async throws {
    let ledger = Ledger()
    try await withServer(routes: { routes in
      ledger.add(to: &routes)
      routes.live("/mine") { _ in throw RequestError(.unauthorized, "unauthorized", "Who are you?") }
      routes.live("/broken") { _ in LiveResource(ledger.changes) { throw LedgerError() } }
    }) { server in
      #expect(try await server.connect().upgrade("/ledger/a")?.text.contains("no_number") == true)
      #expect(try await server.connect().upgrade("/mine")?.status == .unauthorized)
      #expect(try await server.connect().upgrade("/broken")?.status == .internalServerError)
      try await settle { server.events.all.contains { $0.kind == .handlerFailed && $0.path == "/broken" } }
      try await settle { server.broadcast.statistics.subscribers == 0 }
    }
  }

  @Test("behind its deletion a socket of the key is closed with 4404, others go on, and what is made anew is another")
  func deletion() async throws {
    let ledger = Ledger()
    try await withServer(routes: { ledger.add(to: &$0) }) { server in
      try await server.change("a", in: ledger)
      let all = try await server.subscriber("/ledger")
      let one = try await server.subscriber("/ledger/a")
      try await server.broadcast.publish(ledger.delete("a"), to: "ledger")
      #expect(await one.texts(3) == ["=1", "a -"])
      #expect(await one.close?.code == .notFound)
      #expect(try await server.connect().upgrade("/ledger/a")?.status == .notFound)
      try await server.change("a", in: ledger)
      #expect(try await server.subscriber("/ledger/a").texts(1) == ["=1"])
      #expect(await all.texts(3) == ["=a 1", "a -", "a 1"])
    }
  }

  @Test("a change for every key reaches every socket once, and ends those of a key where it is a deletion")
  func everyKey() async throws {
    let changes = LiveChanges(of: ["ledger"]) { message in
      var change = LiveChange(message.text ?? "", keys: ["a", "a"], isDeletion: message.text == "all gone")
      change.isForEveryKey = message.text?.hasPrefix("all") == true
      return change
    }
    try await withServer(routes: { routes in
      routes.live("/ledger") { _ in LiveResource(changes) { LiveState("=") } }
      routes.live("/ledger/:key") { LiveResource(changes, key: try $0.parameter("key")) { LiveState("=") } }
    }) { server in
      let all = try await server.subscriber("/ledger")
      let (a, b) = (try await server.subscriber("/ledger/a"), try await server.subscriber("/ledger/b"))
      for text in ["one", "all", "all gone", "after"] { try await server.broadcast.publish(text, to: "ledger") }
      #expect(await all.texts(5) == ["=", "one", "all", "all gone", "after"])
      #expect(await a.texts(5) == ["=", "one", "all", "all gone"])
      #expect(await b.texts(4) == ["=", "all", "all gone"])
      for client in [a, b] { #expect(await client.close?.code == .notFound) }
    }
  }

  @Test("a key and a shared name are their bytes: other spellings of the same characters are others")
  func spellings() async throws {
    let spellings = ["\u{e9}", "e\u{301}"]
    let changes = LiveChanges(of: ["ledger"]) { message in message.text.map { LiveChange("change", keys: [$0]) } }
    let mayReturn = Gate()
    let entered = Counter()
    try await withServer(routes: { routes in
      routes.live("/keys/:key") { request in
        let key = try request.parameter("key")
        return LiveResource(changes, key: key) { LiveState(key) }
      }
      routes.live("/names/:name") { request in
        let name = try request.parameter("name")
        return LiveResource(changes, sharedName: name) {
          entered.next()
          await mayReturn.wait()
          return LiveState(name)
        }
      }
    }) { server in
      var clients: [TestClient] = []
      for key in spellings { clients.append(try await server.subscriber("/keys/\(PercentEncoding.encode(key))")) }
      try await server.broadcast.publish(Message(spellings[0], to: "ledger"))
      try await server.broadcast.publish(Message(spellings[1], to: "ledger"))
      try await server.broadcast.publish(Message(spellings[1], to: "ledger"))
      for (index, client) in clients.enumerated() {
        #expect(await client.receiveText()?.utf8.elementsEqual(spellings[index].utf8) == true)
      }
      #expect(await clients[1].texts(2) == ["change", "change"])
      try await server.broadcast.publish(Message(spellings[0], to: "ledger"))
      #expect(await clients[0].texts(2) == ["change", "change"])

      async let first = server.subscriber("/names/\(PercentEncoding.encode(spellings[0]))")
      async let second = server.subscriber("/names/\(PercentEncoding.encode(spellings[1]))")
      try await settle { entered.value == 2 }
      mayReturn.open()
      for (client, name) in zip([try await first, try await second], spellings) {
        #expect(await client.receiveText()?.utf8.elementsEqual(name.utf8) == true)
      }
    }
  }

  @Test("a client that sends a message is closed with 1008")
  func oneWay() async throws {
    let ledger = Ledger()
    try await withServer(routes: { ledger.add(to: &$0) }) { server in
      let client = try await server.subscriber("/ledger")
      await client.send("hello")
      let close = await client.end()
      #expect(close?.code == .policyViolation)
      #expect(close?.reason.contains("HTTP") == true)
    }
  }

  @Test("with their sockets subscriptions and memory go, and the server's stop closes sockets with 1001")
  func ends() async throws {
    let ledger = Ledger()
    try await withServer(loops: 2, routes: { ledger.add(to: &$0) }) { server in
      try await server.change("a", in: ledger)
      var clients: [TestClient] = []
      for index in 0..<20 { clients.append(try await server.subscriber(index % 2 == 0 ? "/ledger" : "/ledger/a")) }
      try await server.change("a", in: ledger)
      for (index, client) in clients.enumerated() {
        _ = await client.texts(2)
        if index % 3 == 0 { await client.reset() } else { await client.leave() }
      }
      try await settle { server.broadcast.statistics.subscribers == 0 && server.loggedBytes == 0 }
      let last = try await server.subscriber("/ledger")
      server.stop()
      #expect(await last.end()?.code == .goingAway)
    }
  }

  @Test("a thousand sockets with a key each get their own changes")
  func manyKeys() async throws {
    let ledger = Ledger()
    let count = 1_000
    try await withServer(loops: 2, routes: { ledger.add(to: &$0) }) { server in
      for key in 0..<count { _ = ledger.change("\(key)") }
      var clients: [TestClient] = []
      for key in 0..<count { clients.append(try await server.subscriber("/ledger/\(key)")) }
      for _ in 0..<3 {
        let messages = (0..<count).shuffled().map { Message(ledger.change("\($0)"), to: "ledger") }
        try await server.broadcast.publish(messages)
      }
      for (key, client) in clients.enumerated() {
        #expect(await client.texts(4) == ["=1", "\(key) 2", "\(key) 3", "\(key) 4"])
      }
      // One subscription for each loop, however many sockets there are.
      #expect(server.broadcast.statistics.subscribers == 2)
    }
  }
}

struct LedgerError: Error {}
