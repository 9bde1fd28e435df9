//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import TestSupport
import Testing

@Suite("Two servers on one broker", .timeLimit(.minutes(3)))
struct ServingTests {
  @Test(
    "what is pushed into one is seen on the other's sockets, in order",
    .enabled(if: Tool.curl.isWanted, "curl is missing"), arguments: Broker.startable)
  func fromOneToTheOther(broker: Broker) async throws {
    try await broker.withServer(isHurt: false) { server in
      let url = server.url(port: server.port)
      let one = try await ServerProcess([url])
      let other = try await ServerProcess([url])
      try await withBroadcast(other.url, among: [.remote]) { far in
        let subscription = try await far.subscribe(to: ["chat", "Ünï; \"code\""])
        var deliveries = subscription.makeAsyncIterator()
        #expect(try await Curl.push(#"{"channel": "chat", "message": {"n": [1, "é"]}}"#, to: one.url).status == 200)
        #expect(try await deliveries.next() == .message(Message(#"{"n": [1, "é"]}"#, to: "chat")))
        try await withBroadcast(one.url, among: [.remote]) { near in
          for channel: Channel in ["chat", "Ünï; \"code\""] {
            let messages =
              (0..<300).map { Message("\($0) " + String(repeating: "x", count: $0 * 40), to: channel) }
              + [Message([0, 255, 1], to: channel), Message("", to: channel)]
            for message in messages { try await near.publish(message) }
            for message in messages { #expect(try await deliveries.next() == .message(message)) }
          }
        }
      }
      #expect(try await one.stop() == .code(0))
      #expect(try await other.stop() == .code(0))
    }
  }

  @Test("one that is killed, or replaced, under load costs nobody at the other anything", arguments: Broker.startable)
  func restart(broker: Broker) async throws {
    try await FaultRun.run(
      Fault(name: "kill and replacement of one server") { run, broker in
        try await Fault.crash.happen(run, broker)
        try await run.allIsWell(within: Promised.recovering)
        try await Fault.ended.happen(run, broker)
      }, on: ServedBroker.broker(on: broker))
  }

  @Test(
    "a broker that is away makes pushes 503 within 2 s; back again, it closes sockets that may have missed something",
    .enabled(if: Tool.curl.isWanted && Tool.python.isWanted, "curl or Python is missing"), arguments: Broker.startable)
  func brokerDies(broker: Broker) async throws {
    try await broker.withServer { brokerServer in
      let server = try await ServerProcess([brokerServer.url(port: brokerServer.port)])
      let sockets = try await PythonProgram.closings.start([server.socketURL, "200"])
      try await sockets.line(containing: "open 200")
      #expect(try await Curl.push(#"{"message": 1}"#, to: server.url).status == 200)
      try await sockets.line(containing: "each has 1")

      try await brokerServer.kill()
      try await wait(for: "a refused push") {
        try await Curl.push(#"{"message": 2}"#, to: server.url).status == 503
      }
      for _ in 0..<5 {
        let start = ContinuousClock.now
        let answer = try await Curl.run(["-i", "-H", "content-type: text/plain", "-d", "x", "\(server.url)/push"])
        #expect(answer.status == 503)
        #expect(ContinuousClock.now - start < Promised.failing)
        #expect(answer.body.lowercased().contains("retry-after: "))
      }
      #expect(!sockets.transcript().contains { $0.hasPrefix("first") })

      try await brokerServer.start()
      if broker.keepsMessages {
        try await wait(for: "a push that is taken", within: Promised.recovering) {
          try await Curl.push(#"{"message": 3}"#, to: server.url).status == 200
        }
        // It has reached the broker, and a server that stops waits for nothing from there.
        try await sockets.line(containing: "each has 2")
        #expect(!sockets.transcript().contains { $0.hasPrefix("first") })
      } else {
        try await sockets.line(containing: "first 4000", within: Promised.recovering + .seconds(1))
        try await sockets.line(containing: "closed 4000 200")
        let line = try await sockets.line(containing: "spread ")
        let spread = Double(line.dropFirst("spread ".count)) ?? 0
        #expect(spread > 2 && spread < 9)
        #expect(try await Curl.push(#"{"message": 3}"#, to: server.url).status == 200)
      }
      // A line a second at most about one trouble; this one lasted some seconds.
      #expect(server.log.count { $0.contains("broker") } < 20, "\(server.log)")
      #expect(try await server.stop() == .code(0))
      if broker.keepsMessages {
        // The first and the last push at least, for each.
        let line = try await sockets.line(containing: "messages ")
        #expect(Int(line.dropFirst("messages ".count)) ?? 0 >= 400, "\(line)")
      }
    }
  }
}
