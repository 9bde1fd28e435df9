//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "Histories, with foreign clients", .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .enabled(if: Tool.curl.isWanted, "curl is missing"), .timeLimit(.minutes(3)))
struct HistoryTests {
  private static let keeping = ["--history", "chat.*=100"]

  @Test("a follower in Python comes back by position, and misses nothing")
  func follows() async throws {
    let server = try await ServerProcess(Self.keeping)
    try await FaultyProxy.with(to: server.port) { proxy in
      let address = "ws" + proxy.url.dropFirst(4) + "/events"
      let follower = try await PythonProgram.follower.start([address, "chat.a ü"])
      try await follower.line(containing: "state 0-0 recovered")
      for number in 0..<3 { try await push("\(number)", to: server) }
      try await follower.line(containing: "message 2")
      await proxy.refuse()
      await proxy.cut()
      for number in 3..<20 { try await push("\(number)", to: server) }
      try await follower.line(containing: "lost 1006")
      try await proxy.listenAgain()
      try await follower.line(containing: "recovered")
      try await push("20", to: server)
      try await follower.line(containing: "message 20")
      #expect(
        follower.transcript().filter { $0.hasPrefix("message ") } == (0...20).map { "message \($0)" })
      // A log that began anew is told, with what it has.
      try await server.kill()
      let second = try await ServerProcess(port: server.port, Self.keeping)
      try await push("new", to: second)
      try await follower.line(containing: "missed")
      try await follower.line(containing: "message new")
      try await second.stop()
    }
  }

  @Test("curl reads what is kept, and a push's answer says where it stands")
  func reads() async throws {
    let server = try await ServerProcess(Self.keeping)
    let first = try await push("one", to: server)
    try await push("two", to: server)
    let position = try #require(first.split(separator: "\"position\": \"").last?.split(separator: "\"").first)
    let page = try await Curl.run(["\(server.url)/history?channel=chat.a%20%C3%BC&after=\(position)"])
    #expect(page.status == 200)
    #expect(page.body.contains(#""complete": true, "more": false, "messages": [{"position": ""#))
    #expect(page.body.hasSuffix(#"-2", "message": "two"}]}"#))
    #expect(try await Curl.run(["\(server.url)/history?channel=other"]).status == 404)
    try await server.stop()
  }

  @Test("the command prints what is kept, and begins a subscription with it")
  func command() async throws {
    let server = try await ServerProcess(Self.keeping)
    for number in 0..<5 { try await push("\(number)", to: server) }
    let history = try await ServerProcess.command(["history", server.url, "chat.a ü", "-n", "3"])
    #expect(try await history.exit() == .code(0))
    #expect(history.transcript() == ["2", "3", "4"])
    let subscription = try await ServerProcess.command(["subscribe", server.url, "chat.a ü", "--last", "2", "-n", "3"])
    try await subscription.line(containing: "4")
    try await push("5", to: server)
    #expect(try await subscription.exit() == .code(0))
    #expect(subscription.transcript() == ["3", "4", "5"])
    #expect(subscription.transcript(.errors).contains { $0.contains("recovered 2 messages of chat.a ü") })
    let none = try await ServerProcess.command(["history", server.url, "other"])
    #expect(try await none.exit() == .code(22))
    try await server.stop()
  }

  @discardableResult
  private func push(_ message: String, to server: ServerProcess) async throws -> String {
    let answer = try await Curl.run([
      "-H", "content-type: text/plain", "--data-binary", message, "\(server.url)/push?channel=chat.a%20%C3%BC",
    ])
    #expect(answer.status == 200)
    return answer.body
  }
}
