//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What a command publishes to or subscribes at: a running server, or a broker itself.
struct Target {
  let url: String

  /// Whether it is a server of ours, which is spoken to by HTTP.
  var isServer: Bool { ["http", "https", "ws", "wss"].contains(url.prefix { $0 != ":" }.lowercased()) }

  /// - Parameters:
  ///   - text: A URL; what is taken for one, `localhost:8080`; or `env:NAME`, for the URL in that variable.
  ///   - environment: Finds a variable.
  /// - Throws: ``Failure`` for a backend that nobody else could hear or be heard through, and for an empty variable.
  init(
    _ text: String, environment: (String) -> String? = ProcessEnvironment.value(of:)
  ) throws(Failure) {
    var text = text
    if text.hasPrefix("env:"), !text.hasPrefix("env://") {
      let name = String(text.dropFirst(4))
      guard let value = environment(name), !value.isEmpty else {
        throw Failure("the environment has no variable \(name) with a URL", .misuse)
      }
      text = value
    }
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
    guard isServer || options.headers.isEmpty else {
      throw Failure("--header is for a server: a broker takes no header fields", .misuse)
    }
    guard !url.lowercased().hasPrefix("postgres") || options.authorityFile == nil else {
      throw Failure("--ca-file is not for postgres: its URL has sslrootcert for that", .misuse)
    }
    let backends = Backends(
      setUp: { hub in
        hub.onEvent = onEvent
        // The end of the starting is what is told; calls wait longer than that.
        hub.connectPatience = options.retries ? Self.forever : .zero
        hub.startPatience = options.retries ? Self.forever : options.timeout * 3
        hub.maximumBufferedBytes = limits.maxBuffered
        if let policy = limits.history { hub.history = [.init(ChannelPattern("*"), policy)] }
      }, maxMessage: limits.maxMessage, loop: loop, connectTimeout: options.timeout,
      authorityFile: options.authorityFile)
    return try BroadcastBackend.open(url, among: backends.forClients(options))
  }

  private static let forever = Duration.seconds(86_400 * 365)
}
