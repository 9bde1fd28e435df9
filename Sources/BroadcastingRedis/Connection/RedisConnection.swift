//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The way to a server: one session after the other.
actor RedisConnection: BrokerConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let dialer: RedisDialer
  let configuration: RedisBroadcast.Configuration
  private nonisolated let mailbox: PublishMailbox
  private(set) var session: RedisSession?
  /// Those who failed with a session, until the next one begins.
  private var failed: [AsyncStream<Never>.Continuation] = []
  private var isClosed = false

  init(
    _ dialer: RedisDialer, _ configuration: RedisBroadcast.Configuration, _ mailbox: PublishMailbox, on loop: EventLoop
  ) {
    self.dialer = dialer
    self.configuration = configuration
    self.mailbox = mailbox
    self.loop = loop
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let session = RedisSession(
      dialer, configuration, on: loop, inbox, mailbox,
      wake: { [weak self] in self?.wake() })
    self.session = session
    releaseFailed()
    let reason = await withTaskCancellationHandler {
      await self.serve(session)
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.session?.end() } }
    }
    self.session = nil
    throw reason
  }

  func close() {
    isClosed = true
    releaseFailed()
  }

  private func serve(_ session: RedisSession) async -> BroadcastError { await session.run() }

  /// Messages wait in the mailbox.
  private nonisolated func wake() { loop.execute { self.assumeIsolated { $0.session?.takeCalls() } } }

  // MARK: The hub's calls

  func subscribe(to channel: Channel) async throws(BroadcastError) {
    try await ask(.subscribe, .init(name: Array(channel.name.utf8)))
  }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    try await ask(.unsubscribe, .init(name: Array(channel.name.utf8)))
  }

  func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) {
    try await ask(.subscribe, .init(name: Array(pattern.glob.utf8), isPattern: true))
  }

  func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) {
    try await ask(.unsubscribe, .init(name: Array(pattern.glob.utf8), isPattern: true))
  }

  func ask(
    _ kind: ListeningSide.Requests.Kind, _ subject: ListeningSide.Requests.Subject
  ) async throws(BroadcastError) {
    guard let session else { throw .notConnected }
    do throws(BroadcastError) {
      try await session.ask(kind, subject)
    } catch {
      // Where the session fails, and not this call alone, the hub tells all channels of it and then cancels its calls.
      if session.failure != nil { await untilCancelled() }
      throw error
    }
  }
}

// MARK: Questions

extension RedisConnection {
  /// Asks a script in the server. Not only the hub's calls come here.
  ///
  /// - Parameter read: See ``RedisSession/ask(_:_:)``.
  func ask<Answer: Sendable>(
    _ call: ScriptCall, _ read: @escaping (ReplyReader) -> Answer?
  ) async throws(BroadcastError) -> Answer {
    guard let session, session.isConnected else { throw .notConnected }
    do throws(BroadcastError) {
      return try await session.ask(call, read)
    } catch {
      if session.failure != nil { await untilNextSession(after: session) }
      throw error
    }
  }

  /// Waits until the task is cancelled, or the next session begins: by then the hub knows that the one before has ended, and
  /// takes what was asked in it for no failure of a channel.
  private func untilNextSession(after last: RedisSession) async {
    if isClosed || session.map({ $0 !== last }) == true { return }
    let (never, source) = AsyncStream.makeStream(of: Never.self)
    failed.append(source)
    for await _ in never {}
  }

  private func releaseFailed() {
    for caller in failed { caller.finish() }
    failed = []
  }
}
