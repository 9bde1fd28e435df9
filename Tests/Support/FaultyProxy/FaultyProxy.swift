//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// A TCP proxy on this machine that brings about what networks do: connections that are refused, cut, slow, or dead
/// without a word.
///
/// Its faults are in `FaultyProxy+Faults.swift`.
package actor FaultyProxy {
  package enum Mode: Sendable {
    case forward
    /// Takes what comes from either end and passes nothing on, not even an end: as a line behind which a machine vanished.
    /// Who connects meanwhile meets silence too. A connection that lost something this way is cut when another mode is
    /// set, for nothing else could become of it.
    case silent
    /// A connection whose client has said these words among the first things is silent from the next answer on, which still
    /// passes: the one that listens, as it were, and not the one that publishes.
    case silentBehindAnswer(to: String)
    /// Passes requests on, and cuts a connection when the first byte of an answer comes.
    case cutBeforeAnswer
    /// Passes requests on, and the first bytes of an answer, and then ends the connection.
    case cutInAnswer
  }

  nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  package nonisolated let port: Int
  /// The port, which nobody else gets while nobody listens; nil where it is kept by who chose it.
  private let reserved: ReservedPort?
  /// Where new connections lead to.
  var upstream: UInt16
  var listener: Listener?
  /// While connecting hangs: what listens without accepting, and the connections that fill its queue.
  var hanging: (sockets: ListeningSockets, fillers: [SocketStream])?
  var links: [ProxyLink] = []
  var mode = Mode.forward
  /// Of each new connection.
  var latency = Duration.zero
  private var change: UnsafeContinuation<Void, Never>?
  private var isOver = false
  /// How many connections came.
  package private(set) var accepted = 0

  private init(_ sockets: ListeningSockets, _ reserved: ReservedPort?, to upstream: Int, on loop: EventLoop) throws {
    self.loop = loop
    self.reserved = reserved
    port = Int(sockets.addresses[0].port)
    self.upstream = UInt16(upstream)
    listener = try Listener(sockets, on: loop)
  }

  /// Listens on the port. While a program is being started it has copies of all sockets of this process for a moment, also
  /// of one that was closed here just now, and nobody can listen until they are gone.
  static func bind(_ port: Int, backlog: Int = 4_096) async throws -> ListeningSockets {
    var triesLeft = 100
    while true {
      do {
        return try await ListeningSockets.bind(host: "127.0.0.1", port: UInt16(port), backlog: backlog)
      } catch {
        guard error.code == .addressInUse, triesLeft > 0 else { throw error }
        triesLeft -= 1
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  /// Runs a proxy to a port of this machine while `body` runs.
  ///
  /// - Parameter port: On which it listens: 0 for any that is free.
  package static func with<Result>(
    to upstream: Int, on port: Int = 0, _ body: (FaultyProxy) async throws -> Result
  ) async throws -> Result {
    try await withEventLoops(count: 1) { loops in
      let reserved = port == 0 ? try ReservedPort.any() : nil
      let sockets = try await bind(reserved?.number ?? port)
      let proxy = try FaultyProxy(sockets, reserved, to: upstream, on: loops[0])
      async let served: Void = withTaskExecutorPreference(loops[0]) { await proxy.serve() }
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await body(proxy)) } catch { result = .failure(error) }
      await proxy.end()
      await served
      return try result.get()
    }
  }

  package nonisolated var url: String { "http://127.0.0.1:\(port)" }

  // MARK: Serving

  private func serve() async {
    // When its task is cancelled nothing more is accepted, and asking fails at once.
    while !isOver, !Task.isCancelled {
      guard let listener else {
        await withUnsafeContinuation { change = $0 }
        continue
      }
      guard let client = try? await listener.accept() else { continue }
      accepted += 1
      links.removeAll(where: \.isOver)
      if case .silent = mode {
        links.append(ProxyLink(client, nil, mode, latency))
        continue
      }
      guard let server = try? await loop.connect(to: "127.0.0.1", port: upstream, within: .seconds(10)) else {
        client.reset()
        continue
      }
      links.append(ProxyLink(client, server, mode, latency))
    }
  }

  func listen(on sockets: ListeningSockets) throws {
    listener = try Listener(sockets, on: loop)
    change.take()?.resume()
  }

  private func end() async {
    isOver = true
    cut()
    stopHanging()
    await listener.take()?.close()
    change.take()?.resume()
  }
}
