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

  // MARK: Histories

  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    try await subscribe(to: channel)
    guard let session, let kept = session.kept?.kept(channel), let run = session.historyRun else { return nil }
    do throws(BroadcastError) {
      // Asked after the confirmation, so that all behind the head arrives.
      return try await ask(kept.open(run: run)) { PageAnswer($0, of: channel)?.page.head }
    } catch {
      session.giveUp(channel)
      throw error
    }
  }

  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    guard let session else { throw .notConnected }
    guard let kept = session.kept?.kept(channel) else { throw .noHistory(of: channel) }
    guard let run = session.historyRun else { throw .notConnected }
    var query = query
    while true {
      let answer = try await ask(kept.read(query, run: run)) { PageAnswer($0, of: channel) }
      // A page of a message that is too large to be taken, and nothing else: what follows it?
      guard answer.page.messages.isEmpty, !answer.page.reachesHead, let last = answer.last else { return answer.page }
      query.start = .after(last)
    }
  }

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
