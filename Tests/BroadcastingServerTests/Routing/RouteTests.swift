//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("Routes of a program", .timeLimit(.minutes(1)))
struct RouteTests {
  private struct Failure: Error {}

  @Test("handlers get what the request says")
  func handlers() async throws {
    try await withServer(routes: { routes in
      routes.get("/hello/:name") { .text("hello \(try $0.parameter("name"))") }
      routes.get("/hello/world") { _ in .text("literal") }
      routes.post("/echo") { .text(try $0.text(), headers: ["X-From": $0.remoteAddress ?? "-"]) }
      routes.put("/thing") { _ in .empty() }
      routes.delete("/thing") { _ in .empty(.accepted) }
      routes.on(HTTPMethod(rawValue: "PURGE"), "/thing") { request in
        .text(try request.query()["x"] ?? "none")
      }
      routes.get("/wrong") { .text(try $0.parameter("nothing")) }
    }) { server in
      let client = try await server.connect()
      #expect(try await client.request(.get, "/hello/%F0%9F%98%80")?.text == "hello 😀")
      #expect(try await client.request(.get, "/hello/world")?.text == "literal")
      let echo = try await client.post("/echo", nil, Array("é".utf8))
      #expect(echo?.text == "é")
      #expect(echo?.headers["X-From"] == "127.0.0.1")
      #expect(try await client.post("/echo", nil, [0xFF])?.status == .badRequest)
      #expect(try await client.request(.put, "/thing")?.status == .noContent)
      #expect(try await client.request(.delete, "/thing")?.status == .accepted)
      #expect(try await client.request(HTTPMethod(rawValue: "PURGE"), "/thing?x=%31")?.text == "1")
      let head = try await client.request(.head, "/hello/world")
      #expect(head?.status == .ok)
      #expect(head?.headers["Content-Length"] == "7")
      #expect(try await client.request(.get, "/thing")?.headers["Allow"] == "DELETE, OPTIONS, PURGE, PUT")
      #expect(try await client.request(.get, "/wrong")?.status == .internalServerError)
    }
  }

  @Test("on the loop nothing changes threads, on the pool the handler leaves it and the answer comes back")
  func pool() async throws {
    try await withServer(routes: { routes in
      routes.get("/loop") { .text("\($0.fanOut.loop.isCurrent)") }
      routes.get("/pool", on: .pool) { .text("\($0.fanOut.loop.isCurrent)") }
      routes.get("/pool/later", on: .pool) { request in
        await Task.yield()
        return .text("\(request.fanOut.loop.isCurrent)")
      }
      routes.get("/pool/fails", on: .pool) { _ in throw RequestError(.conflict, "busy", "Come back.") }
    }) { server in
      let client = try await server.connect()
      for _ in 0..<20 {
        #expect(try await client.request(.get, "/loop")?.text == "true")
        #expect(try await client.request(.get, "/pool")?.text == "false")
        #expect(try await client.request(.get, "/pool/later")?.text == "false")
        #expect(try await client.request(.get, "/pool/fails")?.status == .conflict)
      }
    }
  }

  @Test("what a handler throws is answered; what is not meant for clients is told to the program alone")
  func failures() async throws {
    try await withServer(routes: { routes in
      routes.get("/request") { _ in throw RequestError(.conflict, "busy", "Come \"back\".", headers: ["X-A": "b"]) }
      routes.get("/channel") { _ in throw BroadcastError(.invalidChannel, "no") }
      routes.get("/large") { _ in throw BroadcastError(.messageTooLarge, "no") }
      routes.get("/away") { _ in throw BroadcastError(.unavailable, "no") }
      routes.get("/cancelled") { _ in throw CancellationError() }
      routes.get("/secret") { _ in throw Failure() }
      routes.get("/header") { _ in .text("x", headers: ["X-A": "b\r\nInjected: yes"]) }
    }) { server in
      let client = try await server.connect()
      let busy = try await client.request(.get, "/request")
      #expect(busy?.status == .conflict)
      #expect(busy?.headers["X-A"] == "b")
      #expect(busy?.text == #"{"error": {"code": "busy", "message": "Come \"back\"."}}"#)
      #expect(try await client.request(.get, "/channel")?.status == .badRequest)
      #expect(try await client.request(.get, "/large")?.status == .contentTooLarge)
      #expect(try await client.request(.get, "/away")?.headers["Retry-After"] == "1")
      #expect(try await client.request(.get, "/cancelled")?.status == .serviceUnavailable)
      let secret = try await client.request(.get, "/secret")
      #expect(secret?.status == .internalServerError)
      #expect(secret?.text.contains("Failure") == false)
      let failed = server.events.all.filter { $0.kind == .handlerFailed }.map(\.description)
      #expect(failed == ["handlerFailed path=/secret error=Failure()"])
      let header = try await client.request(.get, "/header")
      #expect(header?.headers["Injected"] == nil)
      #expect(try await server.connect().request(.get, "/health")?.status == .ok)
    }
  }

  @Test("a message that can't be read is told to the program with its values, and to no client")
  func undecodable() async throws {
    let error = BroadcastError(.undecodable, "The column \"salary\" is no Int: \"1234.5\" can't be.")
    try await withServer(routes: { routes in
      routes.get("/rows") { _ in throw error }
      routes.socket("/rows/live") { _, _ in throw error }
    }) { server in
      let answer = try await server.connect().request(.get, "/rows")
      #expect(answer?.status == .internalServerError && answer?.text.contains("salary") == false)
      let closure = try await server.subscriber("/rows/live").end()
      #expect(closure?.code == .internalError && closure?.reason.contains("salary") == false)
      let told = server.events.all.filter { "\($0)".contains("1234.5") }
      #expect(told.map(\.kind) == [.handlerFailed, .socketFailed])
    }
  }

  @Test("checks are asked before every route and socket, the server's own too, and before 404 is told")
  func checks() async throws {
    try await withServer(routes: { routes in
      routes.check { request in
        guard request.http.headers["Authorization"] == "Bearer x" else {
          throw RequestError(.unauthorized, "no_token", "Who are you?", headers: ["WWW-Authenticate": "Bearer"])
        }
      }
      routes.check { request in
        if request.http.path == "/health" { throw RequestError(.forbidden, "no", "Not this.") }
      }
      routes.get("/mine") { _ in .text("mine") }
      routes.socket("/socket") { socket, _ in try await socket.send("hi") }
    }) { server in
      let client = try await server.connect()
      for path in ["/", "/health", "/mine", "/nothing", "/push"] {
        let answer = try await client.request(.get, path)
        #expect(answer?.status == .unauthorized)
        #expect(answer?.headers["WWW-Authenticate"] == "Bearer")
      }
      #expect(try await client.post(json: #"{"message":1}"#)?.status == .unauthorized)
      #expect(try await client.upgrade("/events")?.status == .unauthorized)
      #expect(try await client.upgrade("/socket")?.status == .unauthorized)
      #expect(server.broadcast.statistics.published == 0)
      let token: HTTPHeaders = ["Authorization": "Bearer x"]
      #expect(try await client.request(.get, "/mine", token)?.text == "mine")
      #expect(try await client.request(.get, "/health", token)?.status == .forbidden)
      #expect(try await client.request(.get, "/nothing", token)?.status == .notFound)
      #expect(try await client.upgrade("/events", token)?.status == .switchingProtocols)
    }
  }

  @Test("routes of a program are held to the origin policy where they ask for it, sockets always")
  func origins() async throws {
    let policy = try OriginPolicy(origins: ["https://app.example"])
    try await withServer { configuration in
      configuration.origins = policy
    } routes: { routes in
      routes.post("/open") { _ in .text("open") }
      routes.post("/checked") { request in
        try request.checkOrigin()
        return .text("checked")
      }
      routes.mount("/all") { all in
        all.check { try $0.checkOrigin() }
        all.get("/x") { _ in .text("x") }
      }
      routes.socket("/socket") { socket, _ in try await socket.send("hi") }
    } _: { server in
      let client = try await server.connect()
      let evil: HTTPHeaders = ["Origin": "https://evil.example"]
      #expect(try await client.request(.post, "/open", evil)?.status == .ok)
      #expect(try await client.request(.post, "/checked", evil)?.status == .forbidden)
      #expect(try await client.request(.post, "/checked", evil)?.text.contains("origin_not_allowed") == true)
      #expect(try await client.request(.get, "/all/x", evil)?.status == .forbidden)
      #expect(try await client.upgrade("/socket", evil)?.status == .forbidden)
      for headers in [["Origin": "https://app.example"], ["Origin": "http://localhost"], [:]] as [HTTPHeaders] {
        #expect(try await client.request(.post, "/checked", headers)?.status == .ok)
        #expect(try await client.request(.get, "/all/x", headers)?.status == .ok)
      }
    }
  }

  @Test("mounted routes have their prefix, and their checks ask for them alone")
  func mounted() async throws {
    try await withServer(routes: { routes in
      routes.mount("/api/:version") { api in
        api.check { request in
          guard request.http.headers["X-Key"] == "k" else { throw RequestError(.forbidden, "no", "No.") }
        }
        api.get("/") { .text("root of \(try $0.parameter("version"))") }
        api.get("/x") { .text("x of \(try $0.parameter("version"))") }
        api.socket("/s") { socket, request in try await socket.send(try request.parameter("version")) }
      }
    }) { server in
      let client = try await server.connect()
      #expect(try await client.request(.get, "/api/1/x")?.status == .forbidden)
      #expect(try await client.upgrade("/api/1/s")?.status == .forbidden)
      let key: HTTPHeaders = ["X-Key": "k"]
      #expect(try await client.request(.get, "/api/1/x", key)?.text == "x of 1")
      #expect(try await client.request(.get, "/api/1", key)?.text == "root of 1")
      #expect(try await client.request(.get, "/x", key)?.status == .notFound)
      #expect(try await client.request(.get, "/health")?.status == .ok)
      #expect(try await client.upgrade("/api/2/s", key)?.status == .switchingProtocols)
      #expect(await client.receiveText() == "2")
      #expect(await client.end()?.code == .normal)
    }
  }

  @Test("routes that are wrong, or stand there twice, are an error of run()")
  func conflicts() async throws {
    let wrong: [@Sendable (inout Routes) -> Void] = [
      { $0.post("/push") { _ in .empty() } },
      { $0.socket("/events") { _, _ in } },
      { $0.get("/") { _ in .empty() } },
      { routes in
        routes.get("/a") { _ in .empty() }
        routes.get("/a/") { _ in .empty() }
      },
      { $0.get("no-slash") { _ in .empty() } },
      { $0.mount("/b") { $0.get("also wrong") { _ in .empty() } } },
    ]
    for routes in wrong {
      let server = BroadcastServer(MemoryBroadcast(), configuration: .init(port: 0), routes: routes)
      await #expect(throws: RouteError.self) { try await server.run() }
    }
  }

  @Test("the server's endpoints can be moved, and switched off")
  func endpoints() async throws {
    try await withServer { configuration in
      configuration.endpoints.push = "/api/publish"
      configuration.endpoints.events = "/api/listen"
      configuration.endpoints.page = nil
      configuration.endpoints.health = nil
    } routes: {
      $0.get("/") { _ in .text("mine") }
    } _: { server in
      let client = try await server.connect()
      let subscriber = try await server.subscriber("/api/listen")
      #expect(try await client.post(json: #"{"message":1}"#)?.status == .notFound)
      #expect(try await client.post(json: #"{"message":1}"#, to: "/api/publish")?.status == .ok)
      #expect(await subscriber.receiveText() == "1")
      #expect(try await client.request(.get, "/")?.text == "mine")
      #expect(try await client.request(.get, "/health")?.status == .notFound)
    }
  }

  @Test("a socket is accepted or refused before its 101, and closed as its handler says")
  func sockets() async throws {
    try await withServer(routes: { routes in
      routes.socket(
        "/chat/:room",
        accept: { request in
          switch try request.parameter("room") {
          case "closed": throw RequestError(.forbidden, "closed", "Not now.")
          case "who": throw RequestError(.unauthorized, "who", "Who?")
          case "broken": throw Failure()
          case let room: return room
          }
        },
        handler: { socket, room in
          switch room {
          case "throws": throw Failure()
          case "policy": throw WebSocketClosure(.policyViolation, "No.")
          case "request": throw RequestError(.forbidden, "no", "No more.")
          case "away": throw BroadcastError(.unavailable, "away", isRetriable: true)
          default: while let message = await socket.receive(), message.text != "bye" { try await socket.send(message) }
          }
        })
      routes.socket("/feed", accept: { try await $0.subscribe(to: ["a"]) }) { socket, feed in
        try await runUntilFirstCompletes(
          { while await socket.receive() != nil {} }, { try await feed.deliver(to: socket) })
      }
    }) { server in
      let client = try await server.connect()
      #expect(try await client.upgrade("/chat/closed")?.status == .forbidden)
      #expect(try await client.upgrade("/chat/who")?.status == .unauthorized)
      #expect(try await client.upgrade("/chat/broken")?.status == .internalServerError)
      #expect(try await client.request(.get, "/chat/x")?.status == .upgradeRequired)
      #expect(try await client.upgrade("/chat/x")?.status == .switchingProtocols)
      await client.send("one")
      #expect(await client.receiveText() == "one")
      await client.send("bye")
      #expect(await client.end()?.code == .normal)
      for (room, code) in [
        ("throws", WebSocketCloseCode.internalError), ("policy", .policyViolation), ("request", .policyViolation),
        ("away", .tryAgainLater),
      ] {
        let client = try await server.subscriber("/chat/\(room)")
        #expect(await client.end()?.code == code)
      }
      let feed = try await server.subscriber("/feed")
      try await server.broadcast.publish("1", to: "a")
      #expect(await feed.receiveText() == "1")
      await feed.leave()
      try await settle { server.broadcast.statistics.subscribers == 0 }
    }
  }
}
