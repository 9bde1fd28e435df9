//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import BroadcastingWeb

@Suite("HTTP over a socket", .timeLimit(.minutes(1)))
struct HTTPConnectionTests {
  @Test("requests of one connection are answered in turn")
  func keepAlive() async throws {
    try await withServer { server in
      let client = try await server.connect()
      for number in 0..<5 {
        await client.get("/\(number)")
        #expect(await client.text() == "GET /\(number) ")
      }
      await client.finish()
      #expect(await client.endsInOrder())
    }
  }

  /// Requests of each kind, the last of which ends the connection.
  private static let pipeline = Array(
    """
    GET /1 HTTP/1.1\r\nHost: x\r\n\r\n\
    POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
    \r\nPOST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n\
    GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
    """.utf8)

  private static let answers = ["GET /1 ", "POST /2 hello", "POST /3 abc", "GET /4 "]

  @Test("pipelined requests are answered in order, wherever they are cut")
  func pipelinedInHalves() async throws {
    try await withServer { server in
      for cut in 0...Self.pipeline.count {
        let client = try await server.connect()
        await client.send(Array(Self.pipeline[..<cut]))
        // The first answer, where there can be one, shows that the first half has arrived by itself.
        var expected = Self.answers[...]
        if cut >= "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".utf8.count {
          #expect(await client.text() == expected.removeFirst())
        }
        await client.send(Array(Self.pipeline[cut...]))
        for answer in expected { #expect(await client.text() == answer, "cut at \(cut)") }
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("thousands of requests in one go are all answered, in order")
  func manyAtOnce() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.push((0..<5000).flatMap { Array("GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) })
      for number in 0..<5000 {
        guard await client.text() == "GET /\(number) " else {
          Issue.record("no answer \(number)")
          return
        }
      }
    }
  }

  @Test("a handler that takes its time pauses reading, and all is answered in the end")
  func paused() async throws {
    let go = Signal()
    let handler = TestHandler(respond: { request in
      if request.target == "/slow" { await go.wait() }
      return .text(String(request.target.prefix(5)))
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/slow")
      let filler = Array("GET /\(String(repeating: "x", count: 8000)) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
      // More than the kernel can hold for both ends: the rest has to stay with the client.
      let count = 24 << 20
      await client.push(Array(repeatElement(filler, count: count / filler.count).joined()))
      // A second connection on the same loop is served meanwhile, so the first had its turns.
      try await server.goRound()
      #expect(await client.unsent > 1 << 20)
      go.give()
      #expect(await client.text() == "/slow")
      for _ in 0..<(count / filler.count) { #expect(await client.text() == "/xxxx") }
    }
  }

  @Test("HEAD has the length and no body")
  func head() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      let text = String(decoding: await client.rest(), as: UTF8.self)
      #expect(text.contains("Content-Length: 8\r\n\r\nHTTP/1.1 200 OK\r\n"))
      #expect(text.hasSuffix("\r\n\r\nGET /b "))
    }
  }

  @Test("HTTP/1.0 ends behind a response, unless it asks to stay")
  func oldVersion() async throws {
    try await withServer { server in
      let client = try await server.connect()
      await client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      let first = await client.response()
      #expect(first?.headers["Connection"] == "keep-alive")
      await client.send("GET /b HTTP/1.0\r\n\r\n")
      #expect(await client.response()?.headers["Connection"] == "close")
      #expect(await client.endsInOrder())
    }
  }

  @Test("a response may end the connection by itself, and one that can't be written is a 500")
  func closingResponses() async throws {
    let handler = TestHandler(respond: { request in
      request.target == "/close"
        ? .text("bye", headers: ["Connection": "close"]) : .text("", headers: ["Bad": "a\r\nb"])
    })
    try await withServer(handler) { server in
      for (target, status) in [("/close", HTTPStatus.ok), ("/bad", .internalServerError)] {
        let client = try await server.connect()
        await client.get(target)
        #expect(await client.response()?.status == status)
        #expect(await client.endsInOrder())
      }
    }
  }

  @Test("responses have the date, refusals too, and a handler's own goes before")
  func date() async throws {
    let handler = TestHandler(respond: { request in
      .text("", headers: request.target == "/own" ? ["date": "yesterday"] : [:])
    })
    try await withServer(handler) { server in
      let client = try await server.connect()
      await client.get("/")
      let date = try #require(await client.response()?.headers["Date"])
      #expect(date.utf8.count == 29 && date.hasSuffix(" GMT"))
      await client.get("/own")
      #expect(await client.response()?.headers.values(of: "Date") == ["yesterday"])
      await client.send("nonsense\r\n\r\n")
      #expect(await client.response()?.headers["Date"]?.utf8.count == 29)
    }
  }
}
