//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingServer
import Testing

@Suite("POST /push from pages of other origins", .timeLimit(.minutes(1)))
struct CrossOriginPushTests {
  private static let page = "https://app.example"

  /// A server that lets ``page`` in, or the given ones.
  private func withOpenServer(
    _ origins: [String] = [page], routes: (inout Routes) -> Void = { _ in },
    _ body: @Sendable (RunningServer, TestClient) async throws -> Void
  ) async throws {
    let policy = try OriginPolicy(origins: origins)
    try await withServer { configuration in
      configuration.origins = policy
      configuration.limits.message = 1000
    } routes: {
      routes(&$0)
    } _: { server in
      try await body(server, server.connect())
    }
  }

  private static func preflight(from origin: String) -> HTTPHeaders {
    [
      "Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type",
    ]
  }

  @Test(
    "a browser that asks whether an allowed page may push is told so, for JSON too", arguments: ["/push", "/push/"])
  func preflight(path: String) async throws {
    try await withOpenServer { _, client in
      let answer = try #require(try await client.request(.options, path, Self.preflight(from: Self.page)))
      #expect(answer.status == .noContent)
      #expect(answer.headers.values(of: "Access-Control-Allow-Origin") == [Self.page])
      #expect(answer.headers["Access-Control-Allow-Methods"] == "POST")
      #expect(answer.headers["Access-Control-Allow-Headers"] == "content-type")
      #expect(answer.headers["Access-Control-Max-Age"] == "600")
      #expect(answer.headers["Vary"] == "Origin")
    }
  }

  @Test("with * any page may, and is named")
  func anyPage() async throws {
    try await withOpenServer(["*"]) { _, client in
      let answer = try await client.request(.options, "/push", Self.preflight(from: "http://other.example:81"))
      #expect(answer?.headers["Access-Control-Allow-Origin"] == "http://other.example:81")
      let push = try await client.post("/push", "text/plain", [65], ["Origin": "http://other.example:81"])
      #expect(push?.headers["Access-Control-Allow-Origin"] == "http://other.example:81")
    }
  }

  @Test(
    "a page that is not allowed is refused, and gets no leave to read why",
    arguments: ["https://evil.example", "null", "http://app.example", "https://app.example.evil"])
  func refused(origin: String) async throws {
    try await withOpenServer { server, client in
      let answers = [
        try await client.request(.options, "/push", Self.preflight(from: origin)),
        try await client.post("/push", "text/plain", [65], ["Origin": origin]),
        try await client.post("/push", "application/json", Array(#"{"message":1}"#.utf8), ["Origin": origin]),
      ]
      for answer in answers {
        #expect(answer?.status == .forbidden)
        #expect(answer?.headers.contains { $0.name.lowercased().hasPrefix("access-control-") } == false)
      }
      #expect(server.broadcast.statistics.published == 0)
    }
  }

  @Test("several fields Origin are refused, in whatever order, and none of them may read why")
  func severalOrigins() async throws {
    try await withOpenServer { server, client in
      for (first, second) in [
        (Self.page, "https://evil.example"), ("https://evil.example", Self.page), (Self.page, Self.page),
      ] {
        var preflight = Self.preflight(from: first)
        preflight.append("origin", second)
        let origins: HTTPHeaders = ["Origin": first, "origin": second]
        let answers = [
          try await client.request(.options, "/push", preflight),
          try await client.post("/push", "text/plain", [65], origins),
          try await client.upgrade("/events", origins),
        ]
        for answer in answers {
          #expect(answer?.status == .forbidden)
          #expect(answer?.text.contains("several Origin fields") == true)
          #expect(answer?.headers.contains { $0.name.lowercased().hasPrefix("access-control-") } == false)
        }
      }
      #expect(server.broadcast.statistics.published == 0)
    }
  }

  @Test(
    "an allowed page may read every answer, what is refused too",
    arguments: [
      (#"{"message":1}"#, "application/json", "/push", 200), ("{", "application/json", "/push", 400),
      ("x", "text/plain", "/push?channel=", 400), ("x", "image/png", "/push", 415),
      (String(repeating: "x", count: 1001), "text/plain", "/push", 413),
      // The first is refused by its size alone, without a look at what it is.
      (String(repeating: "x", count: 20_000), "text/plain", "/push", 413),
    ])
  func answers(body: String, type: String, target: String, status: Int) async throws {
    try await withOpenServer { _, client in
      let answer = try await client.post(target, type, Array(body.utf8), ["Origin": Self.page])
      #expect(answer?.status.code == status)
      #expect(answer?.headers.values(of: "Access-Control-Allow-Origin") == [Self.page])
      #expect(answer?.headers["Vary"] == "Origin")
    }
  }

  @Test("a page may read that the backend is away, and when to come back")
  func away() async throws {
    let driver = ScriptedDriver()
    driver.script.withLock { $0.publishError = BroadcastError(.unavailable, "away", isRetriable: true) }
    let policy = try OriginPolicy(origins: [Self.page])
    try await withBroadcast(Hub(driver: driver)) { broadcast in
      try await withServer(over: broadcast) {
        $0.origins = policy
      } _: { server in
        let answer = try await server.connect().post("/push", "text/plain", [65], ["Origin": Self.page])
        #expect(answer?.status == .serviceUnavailable)
        #expect(answer?.headers["Access-Control-Allow-Origin"] == Self.page)
        #expect(answer?.headers["Access-Control-Expose-Headers"] == "Retry-After")
      }
    }
  }

  @Test("a page of the same origin needs none of it, and neither does a program")
  func sameOrigin() async throws {
    try await withOpenServer { _, client in
      for headers in [["Origin": "http://localhost"], [:]] as [HTTPHeaders] {
        let answer = try await client.post("/push", "text/plain", [65], headers)
        #expect(answer?.status == .ok)
        #expect(answer?.headers["Access-Control-Allow-Origin"] == nil)
      }
      let options = try await client.request(.options, "/push", ["Origin": Self.page])
      #expect(options?.headers["Allow"] == "OPTIONS, POST")
      #expect(options?.headers["Access-Control-Allow-Methods"] == nil)
    }
  }

  @Test("checks of the program are for the push, not for the browser's question, and their refusals can be read")
  func checks() async throws {
    try await withOpenServer(routes: { routes in
      routes.check { _ in throw RequestError(.unauthorized, "who", "Who are you?") }
    }) { _, client in
      let question = try await client.request(.options, "/push", Self.preflight(from: Self.page))
      #expect(question?.status == .noContent)
      let push = try await client.post("/push", "text/plain", [65], ["Origin": Self.page])
      #expect(push?.status == .unauthorized)
      #expect(push?.headers["Access-Control-Allow-Origin"] == Self.page)
      #expect(try await client.request(.options, "/push")?.status == .unauthorized)
    }
  }
}
