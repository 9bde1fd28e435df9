//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// A TCP proxy on this machine that brings about what networks do: connections that are refused, cut, or dead without a
/// word.
package actor FaultyProxy {
  package enum Mode: Sendable {
    case forward
    /// Takes what comes from either end and passes nothing on, not even an end: as a line behind which a machine vanished.
    case silent
    /// Passes requests on, and cuts a connection when the first byte of an answer comes.
    case cutBeforeAnswer
    /// Passes requests on, and the first bytes of an answer, and then ends the connection.
    case cutInAnswer
  }

  private nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  package nonisolated let port: Int
  private let upstream: UInt16
  private var listener: Listener?
  private var links: [Link] = []
  private var change: UnsafeContinuation<Void, Never>?
  private var isOver = false
  package private(set) var mode = Mode.forward
  /// How many connections came.
  package private(set) var accepted = 0

  private init(_ sockets: ListeningSockets, to upstream: Int, on loop: EventLoop) throws {
    self.loop = loop
    port = Int(sockets.addresses[0].port)
    self.upstream = UInt16(upstream)
    listener = try Listener(sockets, on: loop)
  }

  /// Runs a proxy to a port of this machine while `body` runs.
  package static func with(to upstream: Int, _ body: (FaultyProxy) async throws -> Void) async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let proxy = try FaultyProxy(sockets, to: upstream, on: loops[0])
      async let served: Void = withTaskExecutorPreference(loops[0]) { await proxy.serve() }
      let result: Result<Void, any Error>
      do { result = .success(try await body(proxy)) } catch { result = .failure(error) }
      await proxy.end()
      await served
      try result.get()
    }
  }

  package nonisolated var url: String { "http://127.0.0.1:\(port)" }

  /// For the connections there are, and those that come.
  package func set(_ mode: Mode) {
    self.mode = mode
    for link in links { link.mode = mode }
  }

  /// For the connections that come, while those there are stay as they are.
  package func setForNew(_ mode: Mode) { self.mode = mode }

  /// Cuts all connections by a reset.
  package func cut() {
    for link in links { link.cut() }
    links = []
  }

  /// Nobody listens any more.
  package func refuse() async {
    await listener.take()?.close()
  }

  package func listenAgain() async throws {
    listener = try Listener(try await ListeningSockets.bind(host: "127.0.0.1", port: UInt16(port)), on: loop)
    change.take()?.resume()
  }

  private func serve() async {
    while !isOver {
      guard let listener else {
        await withUnsafeContinuation { change = $0 }
        continue
      }
      guard let client = try? await listener.accept() else { continue }
      accepted += 1
      guard let server = try? await loop.connect(to: "127.0.0.1", port: upstream, within: .seconds(10)) else {
        client.reset()
        continue
      }
      links.removeAll(where: \.isOver)
      links.append(Link(client, server, mode))
    }
  }

  private func end() async {
    isOver = true
    cut()
    await listener.take()?.close()
    change.take()?.resume()
  }
}

/// A client's connection and the one to the server.
private final class Link {
  var mode: FaultyProxy.Mode
  private let client: SocketStream
  private let server: SocketStream

  init(_ client: SocketStream, _ server: SocketStream, _ mode: FaultyProxy.Mode) {
    self.client = client
    self.server = server
    self.mode = mode
    client.delegate = End(of: self, to: server, isServer: false)
    server.delegate = End(of: self, to: client, isServer: true)
    client.startReading()
    server.startReading()
  }

  var isOver: Bool { !client.isWritable && !server.isWritable }

  func cut() {
    client.reset()
    server.reset()
  }

  private final class End: StreamDelegate {
    // The streams hold it, and the ends hold the link: all go when both have closed.
    let link: Link
    let other: SocketStream
    let isServer: Bool

    init(of link: Link, to other: SocketStream, isServer: Bool) {
      self.link = link
      self.other = other
      self.isServer = isServer
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
      switch link.mode {
      case .forward: other.write(Array(bytes))
      case .silent: break
      case .cutBeforeAnswer: if isServer { link.cut() } else { other.write(Array(bytes)) }
      case .cutInAnswer:
        other.write(Array(isServer ? bytes.prefix(20) : bytes[...]))
        if isServer { other.finish() }
      }
    }

    func drained() {}

    func ended(_ error: NetworkError?) {
      if case .silent = link.mode { return }
      if error != nil { link.cut() } else { other.finish() }
    }

    func closed() {
      if case .silent = link.mode { return }
      other.close()
    }
  }
}
