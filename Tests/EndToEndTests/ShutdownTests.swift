//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@Suite("Stopping", .timeLimit(.minutes(3)))
struct ShutdownTests {
  @Test(
    "SIGTERM closes every socket with 1001, delivers what was accepted, and ends with 0 within ten seconds",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func closesAll() async throws {
    let server = try await ServerProcess()
    let sockets = try await PythonProgram.closings.start([server.socketURL, "200"])
    try await sockets.line(containing: "open 200")
    for number in 1...10 {
      #expect(try await Curl.push(#"{"message": \#(number)}"#, to: server.url).status == 200)
    }
    // Ten seconds are the server's promise; the rest is for a machine with other things to do.
    #expect(try await server.stop(within: .seconds(20)) == .code(0))
    #expect(try await sockets.line(containing: "messages") == "messages 2000")
    #expect(try await sockets.line(containing: "closed") == "closed 1001 200")
    try await sockets.line(containing: "done")
  }

  @Test(
    "a connection that has sent half a request does not hold up the end",
    .enabled(if: Tool.python.isWanted, "Python's packages are missing"))
  func halfRequest() async throws {
    let server = try await ServerProcess()
    let client = try await PythonProgram.raw.start(["\(server.port)", #"GET / HTTP/1.1\r\nHost: x"#])
    try await client.line(.errors, containing: "sent")
    // Its connection has been accepted when a later one is served.
    #expect(try await Curl.run(["\(server.url)/health"]).status == 200)
    #expect(try await server.stop(within: .seconds(20)) == .code(0))
    try await client.exit()
  }
}
