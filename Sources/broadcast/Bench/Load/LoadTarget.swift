//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingNetwork
import BroadcastingTLS
import BroadcastingWeb

/// The server that is put under load, as its URL says.
struct LoadTarget: Sendable {
  private let url: ServerURL
  private let requests: ServerRequests
  /// Nil for connections that are not secure.
  private let tls: TLSContext?
  private let timeout: Duration

  init(_ options: BenchOptions) throws(Failure) {
    timeout = options.timeout
    var configuration = RemoteBroadcast.Configuration()
    for field in options.headers { configuration.headers.append(field.name, field.value) }
    if let file = options.authorityFile { configuration.tls.trust = .file(file) }
    let target = try Target(options.target)
    guard target.isServer else {
      throw Failure(
        "bench puts a server under load: name one that runs on this broker, such as http://localhost:8080", .misuse)
    }
    do throws(BroadcastError) {
      url = try ServerURL(BackendURL(target.url))
      requests = try ServerRequests(url, configuration)
    } catch {
      throw Failure(error)
    }
    tls = url.isSecure ? TLSContext(configuration.tls) : nil
  }

  /// Asks for a WebSocket with a channel's messages.
  func subscription(to channel: String) -> WebSocketClientHandshake { requests.events(Channel(channel)) }

  /// Publishes a text.
  func publication(of text: [UInt8], to channel: String) -> HTTPRequest {
    requests.push(Message(validUTF8: text, to: Channel(channel)))
  }

  /// The first of the name's addresses that answers: good for all connections, so that the name is looked up once.
  func findAddress(on loop: EventLoop) async throws(Failure) -> SocketAddress? {
    do throws(NetworkError) {
      let stream = try await loop.connect(to: url.host, port: url.port, within: timeout)
      let address = stream.peerAddress
      stream.close()
      return address
    } catch {
      throw Failure(error)
    }
  }

  func connect(to address: SocketAddress, on loop: EventLoop) async throws(Failure) -> any ByteStream {
    do throws(NetworkError) {
      guard let tls else { return try await loop.connect(to: address, within: timeout) }
      return try await loop.startTLS(
        over: try await loop.connect(to: address, within: timeout), to: url.host, tls: tls, protocols: ["http/1.1"],
        within: timeout)
    } catch {
      throw Failure(error)
    }
  }
}
