//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingServer
import TestSupport
import Testing

@Suite(
  "Requests of a client on autobahn", .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .timeLimit(.minutes(2)))
struct RequestSocketForeignTests {
  @Test("all frames that it sends at once are done and answered in their order, and notifications come too")
  func allAtOnce() async throws {
    let names = Lock<[String]>([])
    try await withServer(
      configure: { $0.endpoints.page = nil },
      routes: { routes in
        routes.requestSocket("/", limits: RequestSocketLimits(inFlight: 1)) { _ in ["users"] }
        routes.get("/user/list") { _ in .json(Array("[\(names.withLock { $0.count })]".utf8)) }
        routes.post("/user", on: .pool) { request in
          let name = try request.text()
          let isNew = names.withLock { names in
            if names.contains(name) { return false }
            names.append(name)
            return true
          }
          guard isNew else { throw RequestError(.conflict, "taken", "\(name) is there already.") }
          return .json(request.http.body, status: .created)
        }
      }
    ) { server in
      let client = try await PythonProgram.requests.start([
        "ws://127.0.0.1:\(server.port)",
        #"{"method": "POST", "url": "/user/", "data": "Ada", "event_name": "create"}"#,
        #"{"method": "POST", "url": "/user/", "data": "Ada", "event_name": "again"}"#,
        #"{"method": "GET", "url": "/user/list/", "event_name": "list"}"#,
        #"{"url": "/user/list/", "event_name": "wrong"}"#,
      ])
      try await client.line(containing: #""event_name": "wrong""#)
      try await server.broadcast.publish(#"{"changed": 1}"#, to: "users")
      try await client.line(containing: #""users""#)
      try client.send("close")
      try await client.line(containing: "closed 1000")
      let lines = client.transcript()
      #expect(
        lines.prefix(3) == [
          #"{"event_name": "create", "status": 201, "data": "Ada"}"#,
          #"{"event_name": "again", "status": 409, "error": "taken", "detail": "\"Ada\" is there already."}"#,
          #"{"event_name": "list", "status": 200, "data": [1]}"#,
        ])
      #expect(
        lines[3].hasPrefix(
          #"{"event_name": "wrong", "status": 400, "error": "missing_field", "detail": "\"method\" is"#))
      #expect(lines.dropFirst(4) == [#"{"event_name": "users", "data": {"changed": 1}}"#, "closed 1000"])
      #expect(try await client.exit() == .code(0))
    }
  }
}
