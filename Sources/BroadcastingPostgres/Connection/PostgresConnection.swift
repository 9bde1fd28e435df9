//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The way to the database, for one session after the other.
actor PostgresConnection: BrokerConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let dialer: PostgresDialer
  private let configuration: PostgresBroadcast.Configuration
  private let mailbox: PublishMailbox
  private var session: PostgresSession?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(
    _ url: PostgresURL, _ configuration: PostgresBroadcast.Configuration, _ mailbox: PublishMailbox,
    on loop: EventLoop
  ) {
    self.mailbox = mailbox
    self.loop = loop
    self.configuration = configuration
    dialer = PostgresDialer(url, limit: configuration.connectTimeout, on: loop)
  }

  // MARK: Sessions

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let session = try await open(inbox)
    self.session = session
    session.onFailure = { [weak self] in self?.assumeIsolated { $0.wake() } }
    session.onConnected = { [weak self] in self?.assumeIsolated { $0.openMailbox() } }
    do throws(LineFailure) { try session.start() } catch {
      session.fail(PostgresError.lost(error, "was made", at: dialer.place))
    }
    await withTaskCancellationHandler {
      while session.failure == nil, !Task.isCancelled { await waitForEnd(of: session) }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.wake() } }
    }
    let reason = session.failure ?? .cancelled
    self.session = nil
    mailbox.close(because: reason)
    session.close(because: reason)
    throw reason
  }

  private func open(_ inbox: DriverInbox) async throws(BroadcastError) -> PostgresSession {
    let probeName = ChannelName(
      "\(Channel.reservedPrefix)probe.\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8)
    let (listening, publishing) = try await SessionOpening(
      dialer, dialer, probeName, commitTimeout: commitTimeout
    ).open()
    do throws(NetworkError) {
      return try PostgresSession(
        ListeningSide(listening, probeName: probeName, timeout: configuration.subscribeTimeout, on: loop),
        PublishingSide(publishing, mailbox, probeName: probeName, timeout: configuration.publishTimeout, on: loop),
        inbox, at: dialer.place, on: loop)
    } catch {
      listening.close()
      publishing.close()
      throw PostgresError.lost(LineFailure(error, at: .settingUp), "was made", at: dialer.place)
    }
  }

  /// Before what is published is given up, so that a publisher hears the reason, and that nothing was sent, unless it waits
  /// for a transaction before its own too; and before the probe is, so that the session stays.
  private var commitTimeout: Duration { min(configuration.publishTimeout, .seconds(2)) * 3 / 4 }

  private func waitForEnd(of session: PostgresSession) async {
    await withUnsafeContinuation { continuation in
      if session.failure != nil || Task.isCancelled { continuation.resume() } else { waiter = continuation }
    }
  }

  private func wake() { waiter.take()?.resume() }

  private func openMailbox() {
    // The end of the session closes it, and lets go of this.
    mailbox.open { [self] in loop.execute { self.assumeIsolated { $0.session?.publishing.wake() } } }
  }

  // MARK: The hub's calls

  func subscribe(to channel: Channel) async throws(BroadcastError) { try await ask(.listen, channel) }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) { try await ask(.unlisten, channel) }

  private func ask(_ kind: ListenCommands<ListeningSide.Waiter>.Kind, _ channel: Channel) async throws(BroadcastError) {
    guard let session, session.failure == nil else {
      await untilCancelled()
      throw .notConnected
    }
    guard let error = await withUnsafeContinuation({ session.listening.ask(kind, channel, $0) }) else { return }
    // It is the session that failed, and not this channel alone. The hub tells all of them so, and then cancels its calls.
    if session.failure != nil { await untilCancelled() }
    throw error
  }
}
