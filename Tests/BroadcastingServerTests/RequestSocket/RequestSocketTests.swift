//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("Requests over a socket", .timeLimit(.minutes(1)))
struct RequestSocketTests {
  @Test("a frame reaches the routes that HTTP serves, with their parameters, its args and its data")
  func routes() async throws {
    try await withServer(
      configure: { $0.endpoints.page = nil },
      routes: { routes in
        routes.requestSocket("/")
        routes.get("/") { _ in .text("page") }
        routes.get("/user/list") { request in .text("all \(try request.query()["page"] ?? "-")") }
        routes.get("/user/:id") { .text("user \(try $0.parameter("id"))") }
        routes.put("/user/:id") { request in
          .json(request.http.body, headers: ["Location": "/x", "X-Type": request.http.headers["Content-Type"] ?? "-"])
        }
        routes.post("/user") { .text(try $0.text(), status: .created) }
        routes.delete("/user/:id", on: .pool) { _ in .empty() }
      }
    ) { server in
      let client = try await server.subscriber("/")
      func answer(_ frame: String) async -> String? {
        await client.send(frame)
        return await client.receiveText()
      }
      #expect(
        await answer(#"{"method": "GET", "url": "/user/list/", "event_name": "a\u00e9"}"#)
          == #"{"event_name": "a\u00e9", "status": 200, "data": "all -"}"#)
      #expect(
        await answer(#"{"method": "GET", "url": "/user/list", "args": {"page": 2}}"#)
          == #"{"status": 200, "data": "all 2"}"#)
      #expect(await answer(#"{"method": "GET", "url": "/user/6/"}"#) == #"{"status": 200, "data": "user 6"}"#)
      #expect(await answer(#"{"method": "GET", "url": "/user/%C3%A9"}"#) == #"{"status": 200, "data": "user é"}"#)
      #expect(
        await answer(#"{"method": "PUT", "url": "/user/6/", "data": {"n": 1.0}}"#)
          == #"{"status": 200, "data": {"n": 1.0}, "headers": {"location": "/x", "x-type": "application/json"}}"#)
      #expect(await answer(#"{"method": "POST", "url": "/user/", "data": [1]}"#) == #"{"status": 201, "data": "[1]"}"#)
      #expect(await answer(#"{"method": "DELETE", "url": "/user/6"}"#) == #"{"status": 204, "data": null}"#)
      #expect(await answer(#"{"method": "GET", "url": "/"}"#) == #"{"status": 200, "data": "page"}"#)
      #expect(await answer(#"{"method": "HEAD", "url": "/user/6"}"#) == #"{"status": 200, "data": null}"#)
      #expect(
        await answer(#"{"method": "OPTIONS", "url": "/user/list"}"#)
          == #"{"status": 204, "data": null, "headers": {"allow": "GET, HEAD, OPTIONS"}}"#)
      // The page at the same path is there over HTTP too.
      #expect(try await server.connect().request(.get, "/")?.text == "page")
    }
  }

  @Test("what goes wrong is an answer with a status, and the socket stays open")
  func errors() async throws {
    struct Failure: Error {}
    try await withServer(routes: { routes in
      routes.requestSocket("/rest")
      routes.get("/known") { _ in .text("x") }
      routes.get("/fails") { _ in throw Failure() }
      routes.get("/busy") { _ in throw RequestError(.conflict, "busy", "Come back.", headers: ["Retry-After": "2"]) }
    }) { server in
      let client = try await server.subscriber("/rest")
      func answer(_ frame: String) async -> String {
        await client.send(frame)
        return await client.receiveText() ?? "closed"
      }
      #expect(
        await answer(#"{"method": "GET", "url": "/nothing", "event_name": "e"}"#)
          == #"{"event_name": "e", "status": 404, "error": "not_found", "detail": "There is nothing at this path."}"#)
      #expect(
        await answer(#"{"method": "PUT", "url": "/known"}"#).hasPrefix(
          #"{"status": 405, "error": "method_not_allowed""#))
      #expect(
        await answer(#"{"method": "GET", "url": "/%zz"}"#).hasPrefix(#"{"status": 400, "error": "malformed_path""#))
      #expect(
        await answer(#"{"method": "GET", "url": "/events"}"#).hasPrefix(#"{"status": 426, "error": "upgrade_required""#)
      )
      #expect(await answer(#"{"method": "GET", "url": "/rest"}"#).hasPrefix(#"{"status": 426,"#))
      #expect(
        await answer(#"{"method": "GET", "url": "/busy"}"#)
          == #"{"status": 409, "error": "busy", "detail": "Come back.", "headers": {"retry-after": "2"}}"#)
      #expect(
        await answer(#"{"method": "GET", "url": "/fails"}"#).hasPrefix(#"{"status": 500, "error": "internal_error""#))
      #expect(server.events.all.contains { $0.kind == .handlerFailed && $0.path == "/fails" && $0.error is Failure })
      // The name is known where the frame can be read, whatever else is wrong with it.
      #expect(
        await answer(#"{"url": "/known", "event_name": "who"}"#)
          .hasPrefix(
            #"{"event_name": "who", "status": 400, "error": "missing_field", "detail": "\"method\" is missing."#))
      #expect(
        await answer(#"{"huh": 1, "event_name": "who"}"#).hasPrefix(
          #"{"event_name": "who", "status": 400, "error": "unknown_field""#))
      #expect(
        await answer(#"{"event_name": "a", "event_name": "b"}"#).hasPrefix(
          #"{"status": 400, "error": "duplicate_field""#))
      #expect(await answer("{").hasPrefix(#"{"status": 400, "error": "invalid_json""#))
      await client.send(.binary([1]))
      #expect(await client.receiveText()?.hasPrefix(#"{"status": 400, "error": "binary_frame""#) == true)
      let long = String(repeating: "a", count: 9_000)
      #expect(await answer("{\"method\": \"GET\", \"url\": \"/\(long)\"}").hasPrefix(#"{"status": 414, "#))
      #expect(await answer(#"{"method": "GET", "url": "/known"}"#) == #"{"status": 200, "data": "x"}"#)
    }
  }

  @Test("checks of the server and of mounts are asked, with the fields of the handshake")
  func checks() async throws {
    let asked = Counter()
    try await withServer(routes: { routes in
      routes.check { request in
        asked.next()
        guard request.http.headers["Authorization"] == "Bearer ada" else {
          throw RequestError(.unauthorized, "who", "Say who you are.")
        }
      }
      routes.mount("/api") { routes in
        routes.check { request in
          guard request.http.headers["Cookie"] == "in=yes" else {
            throw RequestError(.forbidden, "no_cookie", "Log in.")
          }
        }
        routes.requestSocket("/socket")
      }
      routes.mount("/admin") { routes in
        routes.check { request in
          guard try request.query()["token"] == "s3cret" else { throw RequestError(.forbidden, "no_token", "No.") }
        }
        routes.delete("/all") { request in
          #expect(request.http.host == "localhost" && request.isFromThisMachine)
          #expect(!request.http.asksForWebSocket && request.http.headers["Sec-WebSocket-Key"] == nil)
          return .text("gone")
        }
      }
    }) { server in
      let nobody = try await server.connect()
      #expect(try await nobody.upgrade("/api/socket")?.status == .unauthorized)
      let half = try await server.connect()
      #expect(try await half.upgrade("/api/socket", ["Authorization": "Bearer ada"])?.status == .forbidden)
      let headers: HTTPHeaders = ["Authorization": "Bearer ada", "Cookie": "in=yes"]
      let foreign = try await server.connect()
      var foreignHeaders = headers
      foreignHeaders.append("Origin", "https://evil.example")
      #expect(try await foreign.upgrade("/api/socket", foreignHeaders)?.status == .forbidden)

      let client = try await server.subscriber("/api/socket", headers)
      let before = asked.value
      await client.send(#"{"method": "DELETE", "url": "/admin/all"}"#)
      #expect(await client.receiveText() == #"{"status": 403, "error": "no_token", "detail": "No."}"#)
      await client.send(#"{"method": "DELETE", "url": "/admin/all", "args": {"token": "s3cret"}}"#)
      #expect(await client.receiveText() == #"{"status": 200, "data": "gone"}"#)
      #expect(asked.value == before + 2)
    }
  }

  @Test("the server's own endpoints answer too, with their own rules")
  func endpoints() async throws {
    try await withKeepingServer(
      configure: { $0.channels = (try? ChannelPatterns(["kept.*"])) ?? .all },
      routes: { $0.requestSocket("/rest") }
    ) { server in
      let client = try await server.subscriber("/rest")
      let listener = try await server.subscriber("/events?channel=kept.a")
      await client.send(#"{"method": "POST", "url": "/push", "data": {"channel": "kept.a", "message": {"n": 1}}}"#)
      #expect(await client.receiveText()?.hasPrefix(#"{"status": 200, "data": {"channel": "kept.a""#) == true)
      #expect(await listener.receiveText() == #"{"n": 1}"#)
      await client.send(#"{"method": "GET", "url": "/history", "args": {"channel": "kept.a", "limit": 1}}"#)
      #expect(await client.receiveText()?.contains(#""message": "{\"n\": 1}"}]}"#) == true)
      await client.send(#"{"method": "POST", "url": "/push", "data": {"channel": "other", "message": 1}}"#)
      #expect(await client.receiveText()?.hasPrefix(#"{"status": 403, "error": "channel_not_allowed""#) == true)
      await client.send(#"{"method": "GET", "url": "/health"}"#)
      #expect(await client.receiveText()?.hasPrefix(#"{"status": 200, "data": {"status": "ok""#) == true)
    }
  }
}
