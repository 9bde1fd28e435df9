//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingTLS

/// Opens lines to the server.
struct RedisDialer: Sendable {
  let server: RedisURL
  let timeout: Duration
  let clientName: String
  /// Nil for lines that are not secure.
  private let tls: TLSContext?

  /// After so long without a word the kernel asks too: it may know sooner than a probe that the other machine is gone.
  private static let keepAlive = Duration.seconds(15)

  init(_ server: RedisURL, _ configuration: RedisBroadcast.Configuration) {
    self.server = server
    timeout = configuration.connectTimeout
    clientName = configuration.clientName
    tls = server.isSecure ? TLSContext(configuration.tls) : nil
  }

  /// Connects on `loop`.
  func connect(on loop: EventLoop) async throws(BroadcastError) -> sending any ByteStream {
    let end = loop.now + timeout
    switch server.place {
    case .socket(let address):
      do throws(NetworkError) { return try await loop.connect(to: address, within: timeout) } catch {
        throw RedisError.connecting(error, to: server)
      }
    case .host(let host, let port):
      guard let tls else { return try await tcp(host, port, on: loop) }
      return try await secured(tcp(host, port, on: loop), to: host, tls, until: end, on: loop)
    }
  }

  private func tcp(
    _ host: String, _ port: UInt16, on loop: EventLoop
  ) async throws(BroadcastError) -> sending SocketStream {
    do throws(NetworkError) {
      let stream = try await loop.connect(to: host, port: port, within: timeout)
      stream.setKeepAlive(after: Self.keepAlive)
      return stream
    } catch {
      throw RedisError.connecting(error, to: server)
    }
  }

  private func secured(
    _ stream: sending SocketStream, to host: String, _ tls: TLSContext, until end: LoopInstant, on loop: EventLoop
  ) async throws(BroadcastError) -> sending any ByteStream {
    do throws(NetworkError) {
      return try await loop.startTLS(over: stream, to: host, tls: tls, within: end - loop.now)
    } catch {
      throw RedisError.securing(error, to: server)
    }
  }
}
