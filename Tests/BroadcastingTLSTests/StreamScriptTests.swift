//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingTLS

/// What depends on how much the peer takes and when, told by a script.
@Suite(.timeLimit(.minutes(1)))
struct StreamScriptTests {
  private struct Scene {
    let lower: ScriptedStream
    let stream: TLSStream
    let inlet: Inlet
    let server: ServerSession
  }

  private actor Stage {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var scene: Scene?
    init(_ loop: EventLoop) { self.loop = loop }

    func play(_ script: @Sendable (Scene) throws -> Void) throws {
      let certificates = try certificates.get()
      let session = try TLSSession(
        LoadedTLSContext(.file(certificates.authority)), identity: TLSIdentity("localhost"), peer: "localhost:1",
        protocols: [])
      let lower = ScriptedStream(on: loop)
      let stream = TLSStream(session, over: lower)
      let server = try ServerSession(ServerRules(files: certificates.server))
      var isDone = false
      stream.shakeHands { isDone = $0 == nil }
      for _ in 1...2 {
        server.feed(lower.takeWritten())
        _ = try server.handshake()
        lower.receive(server.takeOutput())
      }
      #expect(isDone)
      let scene = Scene(lower: lower, stream: stream, inlet: Inlet(stream), server: server)
      self.scene = scene
      try script(scene)
    }

    /// When the turn of the script has ended.
    func epilogue(_ look: @Sendable (Scene) -> Void) async {
      await withUnsafeContinuation { continuation in loop.inNextTurn { continuation.resume() } }
      guard let scene = scene.take() else { return }
      look(scene)
      scene.stream.delegate = nil
      scene.lower.delegate = nil
    }
  }

  private func play(
    _ script: @Sendable (Scene) throws -> Void, epilogue: @Sendable (Scene) -> Void = { _ in }
  ) async throws {
    try await withEventLoops(count: 1) { loops in
      let stage = Stage(loops[0])
      try await stage.play(script)
      await stage.epilogue(epilogue)
    }
  }

  @Test("after the handshake nothing is read until somebody asks")
  func silence() async throws {
    try await play { scene in
      #expect(!scene.lower.isReading)
      #expect(scene.stream.isWritable)
    }
  }

  @Test("an owner that stops and starts while it is handed something goes on reading")
  func fickle() async throws {
    try await play { scene in
      scene.inlet.togglesLeft = 1
      scene.inlet.startReading()
    } epilogue: { scene in
      for word in ["one", "two", "three"] { scene.server.write(text(word)) }
      scene.lower.receive(scene.server.takeOutput())
      #expect(scene.inlet.bytes == text("onetwothree"))
      #expect(scene.lower.isReading)
      #expect(scene.inlet.callsFromWithin == 0)
    }
  }

  @Test("drained() comes for a write that had to wait, and not for an answer of TLS that had to")
  func drains() async throws {
    try await play { scene in
      scene.inlet.startReading()
      scene.lower.takesAll = false
      // The first may be answered when the second is read.
      for _ in 1...2 {
        scene.server.updateKeys()
        scene.lower.receive(scene.server.takeOutput())
        scene.inlet.startReading()
      }
      #expect(scene.stream.pendingBytes > 0)
      scene.lower.drain()
      #expect(scene.inlet.drains == 0)
      #expect(!scene.stream.write([1]))
      scene.lower.drain()
      #expect(scene.inlet.drains == 1)
    }
  }

  @Test("a peer that asks for new keys again and again, and takes no answer, is an error")
  func flood() async throws {
    try await play { scene in
      scene.inlet.startReading()
      scene.lower.takesAll = false
      for _ in 1...10_000 where scene.inlet.failure == nil {
        scene.server.updateKeys()
        scene.lower.receive(scene.server.takeOutput())
        scene.inlet.startReading()
      }
      #expect(scene.inlet.failure?.code == .tlsFailed)
      #expect(scene.stream.pendingBytes < 17_000)
    }
  }

  @Test("a peer that takes its answers may ask as often as it likes")
  func manyKeyUpdates() async throws {
    try await play { scene in
      scene.inlet.startReading()
      scene.lower.takesAll = false
      for _ in 1...2000 {
        scene.server.updateKeys()
        scene.lower.receive(scene.server.takeOutput())
        scene.lower.drain()
        scene.inlet.startReading()
      }
      #expect(scene.inlet.failure == nil)
    }
  }

  @Test("an error of the connection is told once, also when it came before there was anybody to tell")
  func untold() async throws {
    try await play { scene in
      scene.stream.delegate = nil
      scene.lower.delegate?.ended(NetworkError(.reset, "reset"))
      scene.stream.delegate = scene.inlet
      #expect(!scene.stream.isWritable)
      scene.inlet.startReading()
      // Never from within a call.
      #expect(scene.inlet.failure == nil)
      scene.inlet.startReading()
    } epilogue: { scene in
      #expect(scene.inlet.failure?.code == .reset)
      #expect(scene.inlet.callsFromWithin == 0)
    }
  }
}
