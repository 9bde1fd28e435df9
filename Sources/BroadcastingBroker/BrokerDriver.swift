//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingLocking
package import BroadcastingNetwork

/// Runs a backend on an event loop, and passes the hub's calls on to its connection, and messages to its mailbox.
package final class BrokerDriver: BroadcastDriver {
  private enum State: Sendable {
    case idle
    case starting
    case running(Running)
    case ended
  }

  private struct Running: Sendable {
    let connection: any BrokerConnection
    /// The same, where it takes messages itself.
    var publisher: (any PublishingConnection)?
  }

  /// Constant, so that nothing is allocated for it and no references are counted.
  private static let oneReceipt = [Receipt()]

  package let capabilities: Capabilities
  package let maximumCallsAtOnce: Int
  private let loop: EventLoop?
  /// Nil where the connection takes messages itself.
  private let mailbox: PublishMailbox?
  private let connect: @Sendable (EventLoop) -> Running
  private let state = Lock(State.idle)

  /// A driver that puts messages in a mailbox, without a look for the connection first.
  ///
  /// - Parameters:
  ///   - capabilities: What the backend says of itself.
  ///   - loop: Where to run. A loop is made for each run if nil.
  ///   - callsAtOnce: How many subscriptions the connection takes at once.
  ///   - connect: Makes the connection, which does nothing until its first session, and publishes what is in the mailbox.
  package convenience init(
    _ capabilities: Capabilities, on loop: EventLoop?, callsAtOnce: Int = 256,
    connecting connect: @escaping @Sendable (PublishMailbox, EventLoop) -> any BrokerConnection
  ) {
    let mailbox = PublishMailbox()
    self.init(capabilities, loop, callsAtOnce, mailbox) { loop in Running(connection: connect(mailbox, loop)) }
  }

  /// A driver that gives messages to the connection.
  package convenience init(
    _ capabilities: Capabilities, on loop: EventLoop?, callsAtOnce: Int = 256,
    connecting connect: @escaping @Sendable (EventLoop) -> any PublishingConnection
  ) {
    self.init(capabilities, loop, callsAtOnce, nil) { loop in
      let connection = connect(loop)
      return Running(connection: connection, publisher: connection)
    }
  }

  private init(
    _ capabilities: Capabilities, _ loop: EventLoop?, _ callsAtOnce: Int, _ mailbox: PublishMailbox?,
    _ connect: @escaping @Sendable (EventLoop) -> Running
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
      let running = connect(loop)
      state.withLock { $0 = .running(running) }
      let result: Result<Void, BroadcastError>
      do throws(BroadcastError) { result = .success(try await hub.run()) } catch { result = .failure(error) }
      mailbox?.close(because: .ended)
      await running.connection.close()
      try result.get()
    }
  }

  /// Without a loop it has not begun, and may be tried again.
  private func end() {
    state.withLock { state in
      if case .starting = state { state = .idle } else { state = .ended }
    }
  }

  func connection() throws(BroadcastError) -> any BrokerConnection {
    guard case .running(let running) = state.withLock({ $0 }) else { throw .ended }
    return running.connection
  }

  // MARK: The hub's calls

  package func run(_ inbox: DriverInbox) async throws(BroadcastError) { try await connection().run(inbox) }

  package func subscribe(to channel: Channel) async throws(BroadcastError) {
    try await connection().subscribe(to: channel)
  }

  package func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    try await connection().open(channel)
  }

  package func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    try await connection().history(of: channel, query)
  }

  package func catchUp(with channel: Channel) async throws(BroadcastError) {
    try await connection().catchUp(with: channel)
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
    guard let mailbox else {
      guard case .running(let running) = state.withLock({ $0 }), let publisher = running.publisher else { throw .ended }
      return try await publisher.publish(messages)
    }
    let receipts = try await mailbox.publish(messages)
    if !receipts.isEmpty { return receipts }
    return messages.count == 1 ? Self.oneReceipt : [Receipt](repeating: Receipt(), count: messages.count)
  }
}
