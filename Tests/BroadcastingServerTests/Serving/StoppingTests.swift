//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer
import TestSupport
import Testing

@Suite("Stopping a server", .timeLimit(.minutes(1)))
struct StoppingTests {
  @Test("what was pushed with a 200 is delivered before the 1001, while pushes go on", arguments: 0..<12)
  func delivers(round: Int) async throws {
    try await withServer(loops: 2) { configuration in
      configuration.limits.backlogMessages = 1_000_000
      configuration.limits.backlogBytes = 64 << 20
    } _: { server in
      let accepted = Numbers()
      let last = Counter()
      try await withThrowingTaskGroup(of: [Int]?.self) { group in
        var received: [[Int]] = []
        for reader in 0..<6 {
          let client = try await server.subscriber()
          group.addTask {
            var numbers: [Int] = []
            // Half of them are slow: they begin to read when the server is about to stop.
            if reader % 2 == 0 { try await settle { last.value >= 100 } }
            while let text = await client.receiveText() { numbers.append(Int(text.prefix { $0 != " " }) ?? -1) }
            #expect(await client.close?.code == .goingAway)
            await client.disconnect()
            return numbers
          }
        }
        let padding = String(repeating: "x", count: 10_000)
        for _ in 0..<4 {
          let pusher = try await server.connect()
          group.addTask {
            while true {
              let number = last.next()
              // Whatever has no 200 is not accepted.
              guard let answer = try? await pusher.post("/push", "text/plain", Array("\(number) \(padding)".utf8)),
                answer.status == .ok
              else { return nil }
              accepted.add(number)
            }
          }
        }
        try await settle { last.value >= 100 + round }
        server.stop()
        for try await numbers in group {
          guard let numbers else { continue }
          received.append(numbers)
        }
        for numbers in received {
          #expect(accepted.all.subtracting(numbers).isEmpty)
          #expect(Set(numbers).count == numbers.count)
        }
      }
      await server.hasStopped()
      #expect(server.broadcast.statistics.subscribers == 0)
      #expect(server.heldBytes == 0)
    }
  }

  @Test("a socket that never reads is cut, and the server ends")
  func neverReads() async throws {
    try await withServer { configuration in
      configuration.timeouts.socket.close = .milliseconds(100)
    } _: { server in
      let client = try await server.subscriber()
      for _ in 0..<200 { try await server.broadcast.publish([UInt8](repeating: 1, count: 20_000), to: "events") }
      server.stop()
      await server.hasStopped()
      #expect(await client.end()?.code != .normal)
      #expect(server.heldBytes == 0)
    }
  }

  @Test("an idle connection is closed, a request under way is answered")
  func underWay() async throws {
    let (entered, goOn) = (Gate(), Gate())
    try await withServer(routes: {
      $0.get("/slow") { _ in
        entered.open()
        // Not minding the cancellation, as a handler that writes to a database would.
        await withTaskCancellationHandler {
          while !goOn.isOpen { await Task.yield() }
        } onCancel: {
          goOn.open()
        }
        return .text("done")
      }
    }) { server in
      let idle = try await server.connect()
      #expect(try await idle.request(.get, "/health")?.status == .ok)
      let busy = try await server.connect()
      try await withThrowingTaskGroup { group in
        group.addTask {
          let answer = try await busy.request(.get, "/slow")
          #expect(answer?.text == "done")
          #expect(answer?.headers["Connection"] == "close")
        }
        await entered.wait()
        server.stop()
        #expect(await idle.waitForEnd())
        try await group.waitForAll()
      }
      await busy.disconnect()
      await server.hasStopped()
    }
  }

  @Test("two servers on one broadcast deliver what either is pushed")
  func twoServers() async throws {
    try await withServer { one in
      try await withServer(over: one.broadcast) { two in
        let (first, second) = (try await one.subscriber(), try await two.subscriber())
        #expect(try await one.connect().post(json: #"{"message":1}"#)?.status == .ok)
        #expect(await first.receiveText() == "1")
        #expect(await second.receiveText() == "1")
        #expect(try await two.connect().post(json: #"{"message":2}"#)?.status == .ok)
        #expect(await first.receiveText() == "2")
        #expect(await second.receiveText() == "2")
      }
      // One goes, the other stays.
      let third = try await one.subscriber()
      try await one.broadcast.publish("3", to: "events")
      #expect(await third.receiveText() == "3")
    }
  }

  @Test("a port in use is an error that names it")
  func portInUse() async throws {
    try await withServer(loops: 2) { server in
      for loops in [1, 2] {
        var configuration = BroadcastServer.Configuration(port: Int(server.port))
        configuration.loops = loops
        let second = BroadcastServer(server.broadcast, configuration: configuration)
        let error = await #expect(throws: NetworkError.self) { try await second.run() }
        #expect(error?.message.contains("\(server.port)") == true, "\(String(describing: error))")
      }
    }
  }

  @Test(
    "a host or port that is none is an error",
    arguments: [("no.such.host.invalid", 0), ("", 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1)])
  func wrongHost(host: String, port: Int) async throws {
    try await withServer { server in
      let second = BroadcastServer(server.broadcast, configuration: .init(host: host, port: port))
      // A server that ran all the same would be ended by the time limit, and throw nothing.
      let error = await #expect(throws: NetworkError.self) { try await second.run() }
      #expect(error?.message.isEmpty == false)
    }
  }

  @Test("a server may run once more after its end")
  func runsAgain() async throws {
    try await withServer { server in
      let (ports, found) = AsyncStream<String>.makeStream()
      var configuration = BroadcastServer.Configuration(port: 0)
      configuration.loops = 1
      configuration.onEvent = { event in if event.kind == .listening { found.yield(event.addresses?.first ?? "") } }
      let second = BroadcastServer(server.broadcast, configuration: configuration)
      var iterator = ports.makeAsyncIterator()
      for _ in 0..<2 {
        try await withThrowingTaskGroup { group in
          group.addTask { try await second.run() }
          let port = try #require(UInt16((await iterator.next() ?? "").split(separator: ":").last ?? ""))
          let client = try await TestClient.connect(to: port, on: server.loop)
          #expect(try await client.request(.get, "/health")?.status == .ok)
          await client.disconnect()
          group.cancelAll()
        }
      }
    }
  }
}

/// Numbers that several tasks gather.
private final class Numbers: Sendable {
  private let numbers = Lock<Set<Int>>([])
  var all: Set<Int> { numbers.withLock { $0 } }
  func add(_ number: Int) { numbers.withLock { _ = $0.insert(number) } }
}
