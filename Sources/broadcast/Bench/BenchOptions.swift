//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What `broadcast bench` is told. All values have been checked, each by itself and against each other.
struct BenchOptions: Hashable, Sendable {
  /// The running server, as it was given.
  var target = ""

  var subscribers = 100
  /// Messages that are measured.
  var messages = 10_000
  /// Bytes of a message.
  var size = 128
  /// Messages that may be under way: not yet both answered and delivered to all.
  var inFlight = 16
  /// Messages a second; nil for as many as `inFlight` lets through.
  var rate: Int?
  var channels = 1
  /// The channel, or what the names of several begin with; nil for a name that no other run has.
  var channel: String?
  /// Messages before those that are measured.
  var warmUp = 500
  /// Connections to publish by, a request at a time each; nil for as many as messages may be under way.
  var connections: Int?
  /// How long nothing may come while something is awaited.
  var timeout = Duration.seconds(10)
  /// The quiet between the last connection and the first message. The memory of idle subscribers is read at its end.
  var settle = Duration.milliseconds(300)
  /// Of each request.
  var headers: [HeaderField] = []
  /// A file of certificates to trust, in place of the system's.
  var authorityFile: String?

  /// The server's process on this machine, to measure it too.
  var process: Int?
  var printsJSON = false

  var connectionCount: Int { connections ?? inFlight }
}
