//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

@Suite("What a client makes of a server's bytes", .timeLimit(.minutes(1)))
struct HTTPClientExchangeTests {
  private enum Result: Equatable {
    case status(Int, String)
    case network(NetworkError.Code)
    case http(HTTPError.Code)
  }

  /// Sends a request, has the server say something, and maybe end the connection.
  private func result(
    _ answer: String, mayUpgrade: Bool = false, ends: Bool = false
  ) async throws -> (Result, isIdle: Bool) {
    try await withEventLoops(count: 1) { loops in
      await withTaskExecutorPreference(loops[0]) {
        await ClientStage(loops[0]).play { stream, exchange in
          let number = exchange.begin([1], method: .get, mayUpgrade: mayUpgrade, deadline: .distantFuture)
          #expect(number == 1)
          stream.take()
          stream.receive(Array(answer.utf8))
          if ends { stream.delegate?.ended(nil) }
        }
      }
    }
  }

  @Test("interim answers are passed over")
  func interim() async throws {
    let (result, isIdle) = try await result(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    )
    #expect(result == .status(200, "hi"))
    #expect(isIdle)
  }

  @Test("bytes behind an answer end the connection")
  func surplus() async throws {
    let (result, isIdle) = try await result("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!")
    #expect(result == .status(200, "hi"))
    #expect(!isIdle)
  }

  @Test("an answer without a length ends with the connection")
  func endless() async throws {
    let (result, isIdle) = try await result("HTTP/1.1 200 OK\r\n\r\nall of it", ends: true)
    #expect(result == .status(200, "all of it"))
    #expect(!isIdle)
  }

  @Test("an end before the answer, or in the middle of it, is a lost connection")
  func truncated() async throws {
    #expect(try await result("", ends: true).0 == .network(.closed))
    #expect(try await result("HTTP/1.1 200 OK\r\nContent-Le", ends: true).0 == .network(.closed))
    #expect(try await result("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ends: true).0 == .network(.closed))
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(try await result(chunked + "5\r\nhel", ends: true).0 == .network(.closed))
  }

  @Test(
    "what is no HTTP is an error",
    arguments: ["SSH-2.0-OpenSSH_9.2p1\r\n", "+OK ready\r\n", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{28}"])
  func noHTTP(greeting: String) async throws {
    #expect(try await result(greeting).0 == .http(.malformed))
  }

  @Test("a 101 that was not asked for is an error")
  func unaskedUpgrade() async throws {
    #expect(try await result("HTTP/1.1 101 Switching Protocols\r\n\r\n").0 == .http(.malformed))
    #expect(
      try await result("HTTP/1.1 101 Switching Protocols\r\n\r\n\u{81}", mayUpgrade: true).0 == .status(101, ""))
  }

  @Test("bytes that come while nothing was asked close the connection")
  func unasked() async throws {
    try await withEventLoops(count: 1) { loops in
      await withTaskExecutorPreference(loops[0]) {
        await Stage(loops[0]).play { stream in
          let exchange = HTTPClientExchange(stream, limits: .init(), idleTime: .seconds(20))
          #expect(exchange.isIdle)
          stream.receive(Array("HTTP/1.1 408 Request Timeout\r\n\r\n".utf8))
          #expect(stream.isClosed)
          #expect(!exchange.isIdle)
        }
      }
    }
  }

  @Test("a cancellation that comes late leaves the next request alone")
  func lateCancellation() async throws {
    try await withEventLoops(count: 1) { loops in
      await withTaskExecutorPreference(loops[0]) {
        await Stage(loops[0]).play { stream in
          let exchange = HTTPClientExchange(stream, limits: .init(), idleTime: .seconds(20))
          let first = exchange.begin([1], method: .get, mayUpgrade: false, deadline: .distantFuture)
          stream.take()
          stream.receive(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8))
          let second = exchange.begin([1], method: .get, mayUpgrade: false, deadline: .distantFuture)
          if let first { exchange.cancel(first) }
          #expect(!stream.isClosed)
          if let second { exchange.cancel(second) }
          #expect(stream.wasReset)
        }
      }
    }
  }

  /// Plays a script on an exchange, and waits for its outcome.
  private actor ClientStage {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    init(_ loop: EventLoop) { self.loop = loop }

    func play(_ script: (ScriptedStream, HTTPClientExchange) -> Void) async -> (Result, isIdle: Bool) {
      let stream = ScriptedStream(on: loop)
      let exchange = HTTPClientExchange(stream, limits: .init(), idleTime: .seconds(20))
      script(stream, exchange)
      let result: Result =
        switch await exchange.wait() {
        case .response(let response): .status(response.status.code, String(decoding: response.body, as: UTF8.self))
        case .failure(let failure):
          switch failure.cause {
          case .network(let error): .network(error.code)
          case .http(let error): .http(error.code)
          }
        }
      let isIdle = exchange.isIdle
      exchange.close()
      return (result, isIdle)
    }
  }
}
