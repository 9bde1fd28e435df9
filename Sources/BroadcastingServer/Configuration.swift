//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
public import BroadcastingWeb

extension BroadcastServer {
  /// How a server behaves. The defaults are right for a server beside an app on one machine.
  public struct Configuration: Sendable {
    /// The address or name to listen on. `localhost` is both loopback addresses.
    public var host: String

    /// 0 for any that is free; ``ServerEvent/Kind/listening`` tells which.
    public var port: Int

    /// Event loops, each a thread; nil for one on every two cores.
    public var loops: Int?

    /// Which of the server's own endpoints there are, and where.
    public var endpoints = Endpoints()

    /// Which pages, and which machines, may push and open sockets. ``Request/checkOrigin()`` holds other routes to it.
    public var origins = OriginPolicy.sameOrigin

    /// Which channels clients may name.
    public var channels = ChannelPatterns.all

    public var limits = Limits()
    public var timeouts = Timeouts()

    /// Gets what happens inside. It is called on an event loop: it must not block.
    public var onEvent: @Sendable (ServerEvent) -> Void = { _ in }

    /// Gets the account of the logs of each loop, as it begins.
    package var onBudget: @Sendable (MemoryBudget) -> Void = { _ in }

    public init(host: String = "127.0.0.1", port: Int = 8080) {
      self.host = host
      self.port = port
    }
  }

  /// The paths of the server's own endpoints. Nil switches one off.
  public struct Endpoints: Sendable {
    public var push: String? = "/push"
    public var events: String? = "/events"
    public var page: String? = "/"
    public var health: String? = "/health"

    /// Where the broadcast keeps no histories at all, it only says so, and a route of the program's at this path goes before it.
    public var history: String? = "/history"

    /// Names of parameters that the queries of `push` and `events` may have beside `channel`, for checks of the program:
    /// a browser's WebSocket cannot say who it is in a header, only in the query. Any other name is refused with 400.
    public var otherParameters: [String] = []

    public init() {}

    /// Health alone, for a program whose clients have its own routes and nothing beside them.
    public static var health: Endpoints {
      var endpoints = Endpoints()
      (endpoints.push, endpoints.events, endpoints.page, endpoints.history) = (nil, nil, nil, nil)
      return endpoints
    }
  }

  /// Limits on what clients can make the server hold. Sizes are bytes.
  public struct Limits: Sendable {
    /// Of one message, also summed over the fragments of a WebSocket message.
    public var message = 1 << 20

    /// How far a socket may be behind on a channel, before it is closed with 4000.
    public var backlogBytes = 4 << 20
    public var backlogMessages = 1024

    /// All logs of the server together; each loop has an equal part. Beyond it the oldest messages go, and the sockets
    /// that still needed them are closed with 4000. What the `Broadcast` holds is limited by its own configuration.
    public var memory = MemoryBudget.defaultLimit

    /// Sockets that a loop serves before it sees to other things: some milliseconds.
    package var socketsPerSweep = 1_024

    /// Connections at a time. Fewer where the system allows the process fewer descriptors.
    public var connections = 16_384

    /// Channels of one socket of `/events`.
    public var channels = 64

    public var target = 8 << 10
    public var headers = 32 << 10
    public var headerFields = 100

    public init() {}
  }

  /// Times after which the server gives something up. Each is noticed up to a second late.
  public struct Timeouts: Sendable {
    /// For a request to arrive, from its first byte to its last.
    public var request = Duration.seconds(9)

    /// Between two requests of a connection.
    public var idle = Duration.seconds(75)

    /// For sockets: pings, silence, closing.
    public var socket = WebSocketTimeouts()

    /// Over which time sockets are closed, each at a random moment, when the broker was away, is back, and messages may be
    /// missing. From the gap on they get nothing more; this alone keeps their clients from coming back all at once. At most some hours; a socket that
    /// itself is too far behind is closed at once.
    public var closingSpread = Duration.seconds(5)

    /// How long a socket of a live resource that missed changes may take nothing, and how long one that fell behind may not do
    /// so again.
    package var lag = Duration.seconds(10)

    public init() {}
  }
}
