//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "A subscriber in Python, messages from curl", .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .enabled(if: Tool.curl.isWanted, "curl is missing"), .timeLimit(.minutes(3)))
struct ForeignSubscriberTests {
  @Test("each message arrives as the JSON that was pushed, in order")
  func arrivesAsJSON() async throws {
    let server = try await ServerProcess()
    let subscriber = try await PythonProgram.subscriber.start([server.socketURL])
    try await subscriber.line(containing: "connected")

    let messages = [#""hi""#, #"{"b": 1, "a": [true, null, 1.5]}"#, "7", #""Grüße, 世界 👋""#]
    for message in messages {
      let answer = try await Curl.push(#"{"channel": "events", "message": \#(message)}"#, to: server.url)
      #expect(answer.status == 200)
    }
    for message in messages {
      #expect(try await subscriber.line(containing: "message ") == "message \(message)")
    }
    #expect(try await server.stop() == .code(0))
  }

  @Test("a subscriber of one channel hears nothing of another")
  func channelsAreApart() async throws {
    let server = try await ServerProcess()
    let subscriber = try await PythonProgram.subscriber.start(["\(server.socketURL)?channel=news&channel=weather"])
    try await subscriber.line(containing: "connected")
    for (channel, message) in [("events", 1), ("news", 2), ("other", 3), ("weather", 4)] {
      try await Curl.push(#"{"channel": "\#(channel)", "message": \#(message)}"#, to: server.url)
    }
    // The last one of its channels has come when this returns, so that a stray one would stand before it.
    try await subscriber.line(containing: "message 4")
    #expect(subscriber.transcript() == ["connected", "message 2", "message 4"])
    try await server.stop()
  }

  @Test("a subscriber comes back to a server that was killed and started again")
  func comesBack() async throws {
    let first = try await ServerProcess()
    let subscriber = try await PythonProgram.subscriber.start([first.socketURL])
    try await subscriber.line(containing: "connected")
    try await Curl.push(#"{"message": "before"}"#, to: first.url)
    try await subscriber.line(containing: #"message "before""#)

    try await first.kill()
    try await subscriber.line(containing: "lost 1006")

    let second = try await ServerProcess(port: first.port)
    try await subscriber.line(containing: "connected")
    try await Curl.push(#"{"message": "after"}"#, to: second.url)
    try await subscriber.line(containing: #"message "after""#)
    try await second.stop()
  }
}
