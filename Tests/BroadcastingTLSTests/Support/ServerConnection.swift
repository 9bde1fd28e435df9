//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// One connection that a server of the tests has accepted: it can behave, and misbehave.
actor ServerConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let inlet: Inlet
  private let session: ServerSession
  private var plain: [UInt8] = []
  private(set) var failure: ServerSessionError?

  init(_ stream: sending SocketStream, _ rules: ServerRules, on loop: EventLoop) throws {
    self.loop = loop
    session = try ServerSession(rules)
    inlet = Inlet(stream)
  }

  var requestedName: String? { session.requestedName }
  var sawCloseNotify: Bool { session.sawCloseNotify }
  var sawEnd: Bool { inlet.sawEnd }

  /// False if the client went away, or sent what is no handshake.
  @discardableResult
  func handshake(with first: [UInt8] = []) async -> Bool {
    while let isDone = try? session.handshake() {
      // In one piece with the end of the handshake.
      if isDone, !first.isEmpty { session.write(first) }
      await send()
      if isDone { return true }
      guard await more() else { return false }
    }
    await send()
    return false
  }

  /// The client's first flight is read, and what a good server would answer is given back.
  func firstAnswer() async -> [UInt8] {
    guard await more(), (try? session.handshake()) != nil else { return [] }
    return session.takeOutput()
  }

  /// Waits for bytes from the network and gives them to the session.
  func more() async -> Bool {
    while inlet.bytes.isEmpty {
      if inlet.isOver { return false }
      inlet.startReading()
      await inlet.wait()
    }
    session.feed(inlet.take(.max))
    return true
  }

  /// Fewer at the end, or after a failure.
  func receive(_ count: Int) async -> [UInt8] {
    while true {
      decrypt()
      await send()
      if plain.count >= count || failure != nil { break }
      guard await more() else { break }
    }
    defer { plain.removeFirst(min(count, plain.count)) }
    return Array(plain.prefix(count))
  }

  func write(_ bytes: [UInt8]) async {
    session.write(bytes)
    await send()
  }

  /// Encrypts without sending.
  func encrypt(_ bytes: [UInt8]) -> [UInt8] {
    session.write(bytes)
    return session.takeOutput()
  }

  func updateKeys() async {
    session.updateKeys()
    await send()
  }

  func renegotiate() async {
    session.renegotiate()
    await send()
  }

  func closeNotify() async {
    session.shutDown()
    await send()
  }

  func sendRaw(_ bytes: [UInt8]) async {
    if inlet.stream.write(bytes) { return }
    while inlet.stream.pendingBytes > 0, !inlet.isOver { await inlet.wait() }
  }

  /// Reads until the client has gone, or has ended its side.
  func untilEnd() async { repeat { decrypt() } while await more() }

  func finish() { inlet.stream.finish() }
  func reset() { inlet.stream.reset() }
  func close() { inlet.stream.close() }

  private func decrypt() {
    do {
      plain += try session.read()
    } catch {
      failure = error as? ServerSessionError
    }
  }

  private func send() async {
    let bytes = session.takeOutput()
    if !bytes.isEmpty { await sendRaw(bytes) }
  }
}
