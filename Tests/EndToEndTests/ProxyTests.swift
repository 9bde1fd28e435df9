//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite(
  "Behind nginx with kept connections", .enabled(if: Tool.nginx.isWanted, "nginx is missing"),
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .enabled(if: Tool.curl.isWanted, "curl is missing"), .timeLimit(.minutes(3)))
struct ProxyTests {
  @Test("requests share a connection, and an upgrade on it works as on a fresh one")
  func upgradesOnUsedConnection() async throws {
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address)
    for number in 1...5 {
      let answer = try await Curl.push(#"{"message": \#(number)}"#, to: proxy.url)
      #expect(answer.status == 200)
    }
    let reusedByRequests = proxy.reusedConnections

    let subscriber = try await PythonProgram.subscriber.start([proxy.socketURL])
    try await subscriber.line(containing: "connected")
    for number in 6...9 { try await Curl.push(#"{"message": \#(number)}"#, to: proxy.url) }
    try await subscriber.line(containing: "message 9")
    #expect(subscriber.transcript() == ["connected", "message 6", "message 7", "message 8", "message 9"])

    // Without this the test would prove nothing about kept connections.
    if try await NginxProcess.countsReuse() {
      #expect(reusedByRequests == 4)
      #expect(proxy.reusedConnections >= 5)
    }
    try await server.stop()
  }

  @Test("a subscriber comes back through the proxy when the server does")
  func comesBackThroughProxy() async throws {
    let first = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: first.address)
    let subscriber = try await PythonProgram.subscriber.start([proxy.socketURL])
    try await subscriber.line(containing: "connected")
    try await first.kill()
    try await subscriber.line(containing: "lost")

    let second = try await ServerProcess(port: first.port)
    try await subscriber.line(containing: "connected")
    try await Curl.push(#"{"message": "again"}"#, to: second.url)
    try await subscriber.line(containing: #"message "again""#)
    try await second.stop()
  }

  @Test("a stopping server says 1001 through the proxy too")
  func closesThroughProxy() async throws {
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address)
    let sockets = try await PythonProgram.closings.start([proxy.socketURL, "20"])
    try await sockets.line(containing: "open 20")
    #expect(try await server.stop() == .code(0))
    #expect(try await sockets.line(containing: "closed") == "closed 1001 20")
  }
}
