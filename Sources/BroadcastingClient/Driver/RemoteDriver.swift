//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingNetwork

/// What the hub calls: it finds the connection, which lives on the loop of `run()`, and goes there.
final class RemoteDriver: BroadcastDriver {
  enum Run { case first, under, over }

  private enum State: Sendable {
    case idle
    case starting
    case running(RemoteConnection)
    case ended
  }

  let requests: ServerRequests
  let configuration: RemoteBroadcast.Configuration
  let capabilities: Capabilities
  private let state = Lock(State.idle)

  init(_ requests: ServerRequests, _ configuration: RemoteBroadcast.Configuration) {
    self.requests = requests
    self.configuration = configuration
    capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perPublisher,
      mayDeliverEarlierMessages: true, carriesBinary: true, carriesHeaders: false, hasPositions: false)
  }

  // MARK: The broadcast's run

  func beginRun() -> Run {
    state.withLock { state in
      switch state {
      case .idle:
        state = .starting
        return .first
      case .starting, .running: return .under
      case .ended: return .over
      }
    }
  }

  func connect(on loop: EventLoop) -> RemoteConnection {
    let connection = RemoteConnection(requests, configuration, on: loop)
    state.withLock { $0 = .running(connection) }
    return connection
  }

  /// Without a loop it has not begun, and may be tried again.
  func endRun() {
    state.withLock { state in
      if case .starting = state { state = .idle } else { state = .ended }
    }
  }

  private func connection() throws(BroadcastError) -> RemoteConnection {
    guard case .running(let connection) = state.withLock({ $0 }) else {
      throw BroadcastError(.notRunning, "run() has ended, and with it all that it served.", outcome: .notSent)
    }
    return connection
  }

  // MARK: The hub's calls

  func run(_ inbox: DriverInbox) async throws(BroadcastError) { try await connection().run(inbox) }

  func subscribe(to channel: Channel) async throws(BroadcastError) { try await connection().subscribe(to: channel) }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    try await connection().unsubscribe(from: channel)
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    let connection = try connection()
    // A task without this preference would take a detour over the global pool at each step on the loop.
    return try await withTaskExecutorPreference(connection.loop) { () async throws(BroadcastError) in
      try await connection.publish(messages)
    }
  }
}
