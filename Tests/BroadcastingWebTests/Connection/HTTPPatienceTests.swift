//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingWeb

/// Which connections of HTTP are kept at a deadline, and which are closed. Each deadline passes when the test says so,
/// for a peer over a socket could be late only because the machine is busy.
@Suite("Whom HTTP waits for", .timeLimit(.minutes(1)))
struct HTTPPatienceTests {
  private static let request = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)

  private func play(_ script: (Play) async -> Void) async throws {
    try await withEventLoops(count: 1) { loops in
      let play = Play(loops[0])
      await script(play)
      await play.end()
      await #expect(Handles(loop: loops[0]).left == 0)
    }
  }

  @Test("a reader that is slow but steady gets all of its response")
  func slowReader() async throws {
    try await play { play in
      let sent = Task(executorPreference: play.loop) { await play.answer([UInt8](repeating: 65, count: 20)) }
      await play.receive(Self.request)
      await play.waitForAnswer()
      for _ in 0..<20 {
        await play.take(1)
        await play.deadlinePassed()
      }
      #expect(await sent.value)
      #expect(await !play.isClosed)
    }
  }

  @Test("a reader that takes nothing more is cut")
  func stalledReader() async throws {
    try await play { play in
      let sent = Task(executorPreference: play.loop) { await play.answer([UInt8](repeating: 65, count: 20)) }
      await play.receive(Self.request)
      await play.waitForAnswer()
      await play.take(1)
      await play.deadlinePassed()
      #expect(await !play.isClosed)
      await play.deadlinePassed()
      #expect(await play.isClosed)
      #expect(await !sent.value)
    }
  }

  @Test("a connection that has had its request is closed without a word, and so is one that sent an empty line")
  func idle() async throws {
    try await play { play in
      let sent = Task(executorPreference: play.loop) { await play.answer(Array("answer".utf8)) }
      await play.receive(Self.request)
      await play.waitForAnswer()
      await play.take(6)
      #expect(await sent.value)
      let next = Task(executorPreference: play.loop) { await play.waitsForRequest() }
      await play.waitUntilIdle()
      await play.receive([13, 10])
      await play.deadlinePassed()
      #expect(await next.value == false)
      #expect(await play.isClosed)
      #expect(await play.written == Array("answer".utf8))
    }
  }
}

/// An exchange on a scripted stream, both on a loop. As with a real connection, who calls the exchange prefers the loop.
private actor Play {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let stream: ScriptedStream
  private lazy var exchange = HTTPExchange(stream, limits: HTTPLimits(), timeouts: HTTPTimeouts())

  init(_ loop: EventLoop) {
    self.loop = loop
    stream = ScriptedStream(on: loop)
  }

  var isClosed: Bool { stream.isClosed }
  var written: [UInt8] { stream.written }

  /// Sends bytes as soon as they are read.
  func receive(_ bytes: [UInt8]) async {
    while !stream.isReading { await Task.yield() }
    stream.receive(bytes)
  }

  /// Answers the request that has come. Whether the peer took all of it.
  func answer(_ bytes: [UInt8]) async -> Bool {
    guard case .request? = await exchange.next() else { return false }
    return await exchange.send(bytes)
  }

  func waitForAnswer() async { while stream.pendingBytes == 0 { await Task.yield() } }

  /// Whether there is another request. False at the end of the connection.
  func waitsForRequest() async -> Bool { await exchange.next() != nil }

  func waitUntilIdle() async { while !exchange.isWaiting { await Task.yield() } }

  func take(_ count: Int) { stream.take(count) }
  func deadlinePassed() { exchange.deadlinePassed() }
  func end() { stream.close() }
}
