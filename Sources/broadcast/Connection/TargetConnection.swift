//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer

/// A command's way to its target, while it lasts.
struct TargetConnection: Sendable {
  let broadcast: any Broadcast
  let loop: EventLoop
  private let firstConnection: AsyncStream<Void>
  private let tellFailed: @Sendable (BroadcastError) -> Void

  /// Returns when the target has been reached for the first time. To be called once.
  ///
  /// - Throws: when the task was cancelled before.
  func connected() async throws(CancellationError) {
    for await _ in firstConnection { return }
    throw CancellationError()
  }

  /// Tells the user of a call that failed and is made again, unless that is known.
  func tellFailed(_ error: BroadcastError) { tellFailed(error) }

  /// Reaches a target, and lets go of it behind `body`.
  ///
  /// - Parameters:
  ///   - limits: What may be sent, and what may wait here.
  ///   - tell: Is given what happens to the connection, in words for the user.
  /// - Throws: Why the target can't be reached, or what `body` throws.
  static func run(
    _ options: ConnectionOptions, limits: TargetLimits, tell: @escaping @Sendable (String) -> Void,
    _ body: @escaping @Sendable (TargetConnection) async throws -> Void
  ) async throws {
    let target = try Target(options.target)
    let (firstConnection, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let notes = Lock(ConnectionNotes())
    let tellFailed: @Sendable (BroadcastError) -> Void = { error in
      if let line = notes.withLock({ $0.line(forFailed: error) }) { tell(line) }
    }
    let onEvent: @Sendable (BroadcastEvent) -> Void = { event in
      if let line = notes.withLock({ $0.line(for: event) }) { tell(line) }
      if event.kind == .connected || event.kind == .running { signal.yield() }
    }
    // The client's sockets and what the command does with them are on one loop.
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      try await withTaskExecutorPreference(loop) {
        let broadcast = try target.open(options, limits: limits, on: loop, onEvent: onEvent)
        let connection = TargetConnection(
          broadcast: broadcast, loop: loop, firstConnection: firstConnection, tellFailed: tellFailed)
        try await runUntilFirstCompletes({ try await broadcast.run() }, { try await body(connection) })
      }
    }
  }
}

/// What may be sent, and what may wait for the command.
struct TargetLimits: Hashable, Sendable {
  /// Bytes of a message that is sent.
  var maxMessage = 1 << 20
  /// Bytes of messages that wait.
  var maxBuffered = 64 << 20
  /// What a broker keeps of all channels; nil for none. A server decides by itself.
  var history: HistoryPolicy?
}
