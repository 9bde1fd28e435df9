//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingLocking
package import BroadcastingNetwork

/// Runs a backend on an event loop, and passes the hub's calls on to its connection.
package final class BrokerDriver: BroadcastDriver {
  private enum State: Sendable {
    case idle
    case starting
    case running(any BrokerConnection)
    case ended
  }

  /// Constant, so that nothing is allocated for it and no references are counted.
  private static let oneReceipt = [Receipt()]

  package let capabilities: Capabilities
  package let maximumCallsAtOnce: Int
  private let loop: EventLoop?
  private let mailbox: PublishMailbox?
  private let connect: @Sendable (EventLoop) -> any BrokerConnection
  private let state = Lock(State.idle)

  /// - Parameters:
  ///   - capabilities: What the backend says of itself.
  ///   - loop: Where to run. A loop is made for each run if nil.
  ///   - callsAtOnce: How many subscriptions the connection takes at once.
  ///   - mailbox: The connection's own, where a message needs nothing but to be put into that: so publishers need not look
  ///     for the connection first. It has to be closed with the connection.
  ///   - connect: Makes the connection, which does nothing until its first session.
  package init(
    _ capabilities: Capabilities, on loop: EventLoop?, callsAtOnce: Int = 256,
    publishingBy mailbox: PublishMailbox? = nil,
    connecting connect: @escaping @Sendable (EventLoop) -> any BrokerConnection
  ) {
    self.capabilities = capabilities
    self.loop = loop
    maximumCallsAtOnce = callsAtOnce
    self.mailbox = mailbox
    self.connect = connect
  }

  // MARK: The broadcast's run

  /// Runs the hub on the loop: the whole of a backend's `run()`.
  package func run(_ hub: Hub) async throws(BroadcastError) {
    guard try begin() else {
      // It says by itself how it has ended.
      return try await hub.run()
    }
    defer { end() }
    if let loop { return try await run(hub, on: loop) }
    do {
      try await withEventLoops(count: 1) { loops in try await run(hub, on: loops[0]) }
    } catch let error as BroadcastError {
      throw error
    } catch {
      throw BroadcastError(.unavailable, "There is no event loop to be had.", isRetriable: true, underlying: error)
    }
  }

  /// Returns false when it is over already.
  private func begin() throws(BroadcastError) -> Bool {
    try state.withLock { state throws(BroadcastError) in
      switch state {
      case .idle:
        state = .starting
        return true
      case .starting, .running:
        throw BroadcastError(.alreadyRunning, "run() was called twice. Call it once, in one task.")
      case .ended: return false
      }
    }
  }

  private func run(_ hub: Hub, on loop: EventLoop) async throws(BroadcastError) {
    try await withTaskExecutorPreference(loop) { () async throws(BroadcastError) in
      let connection = connect(loop)
      state.withLock { $0 = .running(connection) }
      let result: Result<Void, BroadcastError>
      do throws(BroadcastError) { result = .success(try await hub.run()) } catch { result = .failure(error) }
      await connection.close()
      try result.get()
    }
  }

  /// Without a loop it has not begun, and may be tried again.
  private func end() {
    state.withLock { state in
      if case .starting = state { state = .idle } else { state = .ended }
    }
  }

  private func connection() throws(BroadcastError) -> any BrokerConnection {
    guard case .running(let connection) = state.withLock({ $0 }) else {
      throw BroadcastError(.notRunning, "run() has ended, and with it all that it served.", outcome: .notSent)
    }
    return connection
  }

  // MARK: The hub's calls

  package func run(_ inbox: DriverInbox) async throws(BroadcastError) { try await connection().run(inbox) }

  package func subscribe(to channel: Channel) async throws(BroadcastError) {
    try await connection().subscribe(to: channel)
  }

  package func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    try await connection().unsubscribe(from: channel)
  }

  package func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) {
    try await connection().subscribe(to: pattern)
  }

  package func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) {
    try await connection().unsubscribe(from: pattern)
  }

  package func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    guard let mailbox else { return try await connection().publish(messages) }
    try await mailbox.publish(messages)
    return messages.count == 1 ? Self.oneReceipt : [Receipt](repeating: Receipt(), count: messages.count)
  }
}
