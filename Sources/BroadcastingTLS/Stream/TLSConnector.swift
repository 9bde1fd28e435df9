//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

extension EventLoop {
  /// Connects to a host over TCP and TLS, and checks that it is who it should be.
  ///
  /// - Parameters:
  ///   - protocols: names for ALPN, best first, such as `http/1.1`. A server may choose none of them.
  ///   - deadline: how long all of it may take: authorities, look-up of the name, connection and handshake.
  /// - Returns: a stream of this loop, which must stay there. It does not read as yet.
  /// - Throws: ``NetworkError``: `certificateRefused`, `tlsFailed`, `reset`, `timedOut`, `cancelled`, `invalidAddress` for a
  ///   host that no certificate can be for, `authoritiesUnusable`, and what `connect` without TLS throws.
  package func connect(
    to host: String, port: UInt16, tls: TLSContext, protocols: [String] = [], within deadline: Duration
  ) async throws(NetworkError) -> sending TLSStream {
    try await TLSConnector(on: self, tls, protocols, peer: "\(host):\(port)")
      .run(.connecting(host, port), within: deadline)
  }

  /// Starts TLS on a connection that there is already, with the peer `host`. It must not be reading, and belongs to the
  /// new stream from now on: after an error it is closed.
  package func startTLS(
    over stream: sending SocketStream, to host: String, tls: TLSContext, protocols: [String] = [],
    within deadline: Duration
  ) async throws(NetworkError) -> sending TLSStream {
    try await TLSConnector(on: self, tls, protocols, peer: host).run(.over(stream, host), within: deadline)
  }
}

/// One secure connection to be. Whatever ends it early, a cancellation, the deadline or the end of the loop, calls
/// `stop`, which breaks off what is under way.
private actor TLSConnector {
  enum Way {
    case connecting(String, UInt16)
    case over(SocketStream, String)
  }

  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let tls: TLSContext
  private let protocols: [String]
  private let peer: String
  private var reason: NetworkError?
  private var reading: TLSContext.Answer?
  private var stream: TLSStream?

  init(on loop: EventLoop, _ tls: TLSContext, _ protocols: [String], peer: String) {
    self.loop = loop
    self.tls = tls
    self.protocols = protocols
    self.peer = peer
  }

  func run(_ way: sending Way, within deadline: Duration) async throws(NetworkError) -> sending TLSStream {
    let timer: LoopTimer
    do throws(NetworkError) {
      timer = try LoopTimer(on: loop)
    } catch {
      if case .over(let socket, _) = way { socket.close() }
      throw error
    }
    timer.whenClosed = { self.stop(.loopEnded("connecting to \(self.peer)")) }
    timer.start(after: deadline) { self.stop(self.timedOut(deadline)) }
    let outcome: Result<TLSStream, NetworkError> = await withTaskCancellationHandler {
      do throws(NetworkError) {
        return .success(try await secure(way, within: deadline))
      } catch {
        return .failure(error)
      }
    } onCancel: {
      loop.execute {
        self.assumeIsolated {
          $0.stop(NetworkError(.cancelled, "connecting to \($0.peer): the task was cancelled"))
        }
      }
    }
    timer.whenClosed = nil
    timer.close()
    stream = nil
    if let reason {
      if case .success(let stream) = outcome { stream.close() }
      throw reason
    }
    // Made here; the actor keeps no reference, and libuv's stays on the loop.
    nonisolated(unsafe) let connected = try outcome.get()
    return connected
  }

  private func secure(_ way: Way, within deadline: Duration) async throws(NetworkError) -> TLSStream {
    let end = loop.now + deadline
    let session: TLSSession
    let socket: SocketStream
    switch way {
    case .connecting(let host, let port):
      // Before the connection, for what is wrong with the configuration needs none.
      session = try await makeSession(host)
      if let reason { throw reason }
      socket = try await loop.connect(to: host, port: port, within: end - loop.now)
    case .over(let given, let host):
      socket = given
      do throws(NetworkError) {
        session = try await makeSession(host)
      } catch {
        socket.close()
        throw error
      }
    }
    let stream = TLSStream(session, over: socket)
    self.stream = stream
    let failure: NetworkError? = await withUnsafeContinuation { continuation in
      // What came meanwhile has stopped nothing, for there was no stream.
      if let reason { continuation.resume(returning: reason) } else { shakeHands(stream, continuation) }
    }
    if let failure {
      stream.close()
      throw failure
    }
    return stream
  }

  private func shakeHands(_ stream: TLSStream, _ continuation: UnsafeContinuation<NetworkError?, Never>) {
    stream.shakeHands { continuation.resume(returning: $0) }
  }

  private func makeSession(_ host: String) async throws(NetworkError) -> TLSSession {
    let identity = try TLSIdentity(tls.configuration.serverName ?? host)
    if let reason { throw reason }
    let answer = TLSContext.Answer()
    reading = answer
    tls.load(answer)
    let context = try await answer.value().get()
    reading = nil
    return try TLSSession(context, identity: identity, peer: peer, protocols: protocols)
  }

  private func stop(_ reason: NetworkError) {
    if self.reason != nil { return }
    self.reason = reason
    if let reading, reading.fill(.failure(reason)) { tls.forget(reading) }
    stream?.close()
  }

  private func timedOut(_ deadline: Duration) -> NetworkError {
    let advice =
      stream == nil
      ? "" : "; it has accepted the connection, but did not finish the handshake: does it speak TLS there?"
    return NetworkError(.timedOut, "no secure connection to \(peer) within \(deadline)\(advice)")
  }
}
