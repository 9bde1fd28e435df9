//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What `broadcast serve` is told. All values have been checked, each by itself and against each other.
struct ServeOptions: Hashable, Sendable {
  /// The backend.
  var url = "memory://"

  var host = "127.0.0.1"
  /// 0 for any that is free.
  var port = 8_080
  /// Event loops; nil for one on every two cores.
  var loops: Int?

  /// Bytes of one message, also of all fragments of a WebSocket message together.
  var maxMessage: Int {
    get { givenMaxMessage ?? Backends.usualMaxMessage(for: url) }
    set { givenMaxMessage = newValue }
  }
  /// Nil: what is usual for the backend.
  var givenMaxMessage: Int?
  /// Bytes that a subscriber may be behind on one channel.
  var maxBacklog = 4 << 20
  /// Messages that a subscriber may be behind on one channel.
  var maxBacklogMessages = 1_024
  /// Bytes of all backlogs together.
  var maxMemory = 256 << 20

  var maxConnections = 16_384
  /// Channels that one socket may name.
  var maxChannels = 64
  /// Bytes of a request's target.
  var maxTarget = 8 << 10
  /// Bytes of a request's header.
  var maxHeaders = 32 << 10
  /// Fields of a request's header.
  var maxHeaderFields = 100

  /// From the first byte of a request to its last.
  var requestTimeout = Duration.seconds(10)
  /// Between two requests of a connection.
  var idleTimeout = Duration.seconds(75)
  /// After which quiet a socket is asked whether it is still there.
  var pingInterval = Duration.seconds(20)
  /// How long its answer may take.
  var pingTimeout = Duration.seconds(15)
  /// From the signal to stop to the end.
  var stopTimeout = Duration.seconds(10)

  /// Patterns of the channels that clients may name; none for all.
  var channels: [String] = []
  var allowedOrigins: [String] = []
  var allowedHosts: [String] = []
  var isInsecure = false

  /// Which channels keep their last messages.
  var history: [HistoryPolicies.Rule] = []

  var servesPage = true
  var servesPush = true
  var logFormat = LogFormat.text
  /// Between two lines of counters in the log.
  var countersInterval = Duration.seconds(60)

  /// The part of the memory for messages on their way from the backend to the loops. It is apart from that of the
  /// sockets' backlogs, so that slow sockets never cost a message that is still to go to all.
  var transitMemory: Int { max(maxMemory / 4, min(maxMessage, maxMemory / 2)) }

  /// As many loops as are wanted, or by default as have memory for a backlog each.
  var loopCount: Int { loops ?? max(1, min(EventLoop.defaultCount, (maxMemory - transitMemory) / max(1, maxBacklog))) }

  /// What one loop has for the backlogs of its sockets.
  var loopMemory: Int { (maxMemory - transitMemory) / loopCount }
}
