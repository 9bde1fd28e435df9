//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

/// Who is kept at a deadline. A peer over a socket could be late only because the machine is busy: so nobody's time is
/// taken here, and each deadline passes when the test says so.
@Suite("Whom WebSockets wait for", .timeLimit(.minutes(1)))
struct WebSocketPatienceTests {
  private static let none = WebSocketSettings(timeouts: WebSocketTimeouts(ping: .zero, silence: .zero, close: .zero))
  private static let ping: [UInt8] = [0x89, 0]

  private func play(_ script: @escaping @Sendable (WebSocketTransport, ScriptedStream) -> Void) async throws {
    try await withEventLoops(count: 1) { loops in
      await Stage(loops[0]).play { stream in
        let transport = WebSocketTransport(stream, role: .server, Self.none)
        transport.open(sending: [], received: [], sawEnd: false)
        script(transport, stream)
        stream.close()
      }
      await #expect(Handles(loop: loops[0]).left == 0)
    }
  }

  @Test("a silent peer is kept while it answers pings")
  func answersPings() async throws {
    try await play { transport, stream in
      for round in 1...5 {
        transport.deadlinePassed()
        #expect(stream.written == Array(repeating: Self.ping, count: round).flatMap(\.self))
        stream.take()
        stream.receive(clientFrame(10))
        #expect(!stream.isClosed)
      }
      transport.deadlinePassed()
      stream.take()
      transport.deadlinePassed()
      #expect(stream.wasReset)
    }
  }

  @Test("that the kernel of a peer takes a ping is no sign of life, in a record of TLS either")
  func pingInRecord() async throws {
    try await play { transport, stream in
      transport.deadlinePassed()
      // The ping is out. In TLS 1.3 a record is 22 bytes round it.
      _ = stream.write([UInt8](repeating: 0, count: 22))
      stream.take()
      transport.deadlinePassed()
      #expect(stream.wasReset)
    }
  }

  @Test("a slow reader is kept as long as it takes something of its backlog, before the close and behind it")
  func slowReader() async throws {
    try await play { transport, stream in
      #expect(transport.send(.binary([UInt8](repeating: 7, count: 10_000))))
      for _ in 0..<20 {
        transport.deadlinePassed()
        stream.take(100)
        transport.deadlinePassed()
        #expect(!stream.isClosed)
      }
      transport.beginClose(WebSocketClosure(.normal))
      for _ in 0..<20 {
        stream.take(1)
        transport.deadlinePassed()
        #expect(!stream.isClosed)
      }
      transport.deadlinePassed()
      #expect(stream.wasReset)
    }
  }
}
