//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("The example push and events", .timeLimit(.minutes(20)))
struct PushAndEventsTests {
  @Test(
    "what is pushed arrives at a foreign subscriber as JSON, and the answer repeats it",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func push() async throws {
    try await ExampleProcess.with("push-events") { example in
      let client = try await ForeignClient.start("events", [example.socketURL("/events")])
      try await client.line(containing: "Connected")
      let answer = try await Curl.push(#"{"channel": "events", "message": "hi"}"#, to: example.url)
      #expect(answer.status == 200)
      #expect(answer.body == #"{"channel": "events", "message": "\"hi\""}"#)
      #expect(try await client.line() == "got hi")
      // On another channel it is nobody's here; without one it goes where the socket listens.
      #expect(try await Curl.push(#"{"channel": "lebowski", "message": "rug"}"#, to: example.url).status == 200)
      #expect(try await Curl.push(#"{"message": {"carpet": [1, 2]}}"#, to: example.url).status == 200)
      #expect(try await client.line() == "got {'carpet': [1, 2]}")
    }
  }

  @Test(
    "after the server was killed and started again its subscribers come back by themselves",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func restart() async throws {
    let port = try ReservedPort.any()
    let (subscriber, client) = try await ExampleProcess.with("push-events", port: port) { example in
      // As a reader types it into the second terminal.
      let subscriber = try await ChildProcess(
        "/bin/sh", ["-c", "cd '\(projectFolder)' && exec swift run --package-path Examples push-events-subscriber"],
        environment: ["BROADCAST_URL": "ws://\(example.address)"])
      try await subscriber.line(containing: "connected", within: .seconds(600))
      // Time enough for the server to be there again.
      let client = try await ForeignClient.start("events", [example.socketURL("/events"), "15"])
      try await client.line(containing: "Connected")
      try await Curl.push(#"{"channel": "events", "message": "before"}"#, to: example.url)
      #expect(try await subscriber.line() == "before")
      #expect(try await client.line() == "got before")
      try await example.kill()
      return (subscriber, client)
    }
    #expect(try await subscriber.line() == "connection lost, trying again")
    #expect(try await client.line() == "lost")
    let server = try await Self.program(["PORT": "\(port.number)"])
    try await server.line(containing: "listening on http://127.0.0.1:\(port.number)")
    #expect(try await client.line() == "Connected")
    #expect(try await subscriber.line().hasPrefix("connected again"))
    try await Curl.push(#"{"channel": "events", "message": "after"}"#, to: "http://127.0.0.1:\(port.number)")
    #expect(try await subscriber.line() == "after")
    #expect(try await client.line() == "got after")
    server.signal(.terminate)
    #expect(try await server.exit() == .code(0))
    // Its own way to end: it has nothing to save.
    subscriber.signal(.interrupt)
    #expect(try await subscriber.exit() == .signal(2))
  }

  @Test("without PORT it is at 1234, and a setting that is wrong is one line and exit code 64")
  func settings() async throws {
    // Builds it.
    try await ExampleProcess.with("push-events") { _ in }
    // Somebody on this machine may have that port.
    let isFree = (try? ReservedPort(1234)) != nil
    let server = try await Self.program(["PORT": "", "HOST": ""])
    if isFree {
      try await server.line(containing: "listening on http://127.0.0.1:1234")
      server.signal(.interrupt)
      #expect(try await server.exit() == .code(0))
    } else {
      try await server.line(.errors, containing: "127.0.0.1:1234")
      #expect(try await server.exit() == .code(1))
    }

    for (environment, word) in [
      (["PORT": "lebowski"], "PORT"), (["PORT": "65536"], "PORT"), (["BROADCAST_URL": "mysql://localhost"], "mysql"),
    ] {
      let program = try await Self.program(environment)
      #expect(try await program.exit() == .code(64))
      let said = program.transcript(.errors)
      #expect(said.count == 1 && said[0].hasPrefix("error: ") && said[0].contains(word), "\(said)")
    }
  }

  private static func program(_ environment: [String: String]) async throws -> ChildProcess {
    try await ChildProcess(
      ExampleProcess.binary("push-events"), environment: ["BROADCAST_URL": ""].merging(environment) { $1 },
      lastSignal: .terminate)
  }
}
