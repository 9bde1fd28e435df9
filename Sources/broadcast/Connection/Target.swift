//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingNetwork
import BroadcastingTLS

/// What a command publishes to or subscribes at.
struct Target {
  let url: String

  /// - Throws: ``Failure`` for a backend that nobody else could hear or be heard through.
  init(_ text: String) throws(Failure) {
    // As curl takes it.
    guard text.contains("://") else {
      url = "http://\(text)"
      return
    }
    guard text.prefix(while: { $0 != ":" }).lowercased() != "memory" else {
      throw Failure(
        "memory:// lives within one process, where nobody else is: name a running server, such as http://localhost:8080",
        .unknownScheme)
    }
    url = text
  }

  /// Makes the broadcast, which connects to nothing yet.
  func open(
    _ options: ConnectionOptions, limits: TargetLimits, on loop: EventLoop,
    onEvent: @escaping @Sendable (BroadcastEvent) -> Void
  ) throws -> any Broadcast {
    var configuration = RemoteBroadcast.Configuration(onEvent: onEvent)
    // The end of the starting is what is told; calls wait longer than that.
    configuration.hub.connectPatience = options.retries ? Self.forever : .zero
    configuration.hub.startPatience = options.retries ? Self.forever : options.timeout * 3
    configuration.hub.maximumBufferedBytes = limits.maxBuffered
    configuration.maximumMessageBytes = limits.maxMessage
    configuration.connectTimeout = options.timeout
    configuration.requestTimeout = options.timeout
    for field in options.headers { configuration.headers.append(field.name, field.value) }
    if let file = options.authorityFile { configuration.tls.trust = .file(file) }
    configuration.loop = loop
    return try BroadcastBackend.open(url, among: [.remote(configuration)])
  }

  private static let forever = Duration.seconds(86_400 * 365)
}
