//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingTLS
import BroadcastingWeb

/// Opens connections to the server.
struct Dialer: Sendable {
  let url: ServerURL
  let loop: EventLoop
  let connectTimeout: Duration
  private let limits: HTTPLimits
  /// Nil for connections that are not secure.
  private let tls: TLSContext?

  /// How long a connection is kept without a request: shorter than any server or proxy does, so that this end is the one
  /// which closes.
  static let idleTime = Duration.seconds(20)

  init(_ url: ServerURL, _ configuration: RemoteBroadcast.Configuration, on loop: EventLoop) {
    self.url = url
    self.loop = loop
    connectTimeout = configuration.connectTimeout
    tls = url.isSecure ? TLSContext(configuration.tls) : nil
    // A text comes back as JSON, where a byte may become six, alone or in a page of a history.
    let largest = max(History.maximumBytes, configuration.maximumMessageBytes).multipliedReportingOverflow(by: 6)
    limits = HTTPLimits(bodyBytes: (largest.overflow ? 1 << 32 : min(largest.partialValue, 1 << 32)) + 256 * 1024)
  }

  /// - Throws: `NetworkError`.
  func connect(within deadline: Duration? = nil) async throws(NetworkError) -> HTTPClientConnection {
    let deadline = min(connectTimeout, deadline ?? connectTimeout)
    if let tls {
      let stream = try await loop.connect(
        to: url.host, port: url.port, tls: tls, protocols: ["http/1.1"], within: deadline)
      return HTTPClientConnection(stream, limits: limits, idleTime: Self.idleTime)
    }
    let stream = try await loop.connect(to: url.host, port: url.port, within: deadline)
    return HTTPClientConnection(stream, limits: limits, idleTime: Self.idleTime)
  }
}
