//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// One session with the server: a line that listens, a line that publishes, a probe from the one to the other, a line for
/// questions where there are any, and all deadlines. It belongs to the loop of its connection and never leaves it.
final class RedisSession {
  /// How long members have to leave in when the broadcast ends. It takes so long only where the server hardly answers, or
  /// members are in very many channels; those who have not left by then stay until the lease is over.
  private static let lingering = Duration.seconds(2)

  let dialer: RedisDialer
  let configuration: RedisBroadcast.Configuration
  let loop: EventLoop
  private let inbox: DriverInbox
  private let mailbox: PublishMailbox
  private let wake: @Sendable () -> Void
  private let probeChannel = Channel(
    Channel.reservedPrefix + "probe." + String(UInt64.random(in: 0 ... .max), radix: 16))

  private var login: LoginExchange?
  private var listening: ListeningSide?
  private var publishing: PublishingSide?
  var asking = Asking.closed
  let presence: PresenceChannels
  private var lingersUntil: LoopInstant?
  private var probes: ProbeSchedule?
  private var timer: LoopTimer?
  private var timerDue = LoopInstant.distantFuture
  private(set) var isConnected = false
  private var willTakeCalls = false

  /// Why the session has to end.
  private(set) var failure: BroadcastError?
  private var waiter: UnsafeContinuation<Void, Never>?

  /// Which run of the server this is, where there are histories. All lines lead to it.
  private var run: String?
  /// The same for scripts: empty where it does not matter to them. Nil where there are no histories.
  var historyRun: String? { configuration.historyOutlivesServer ? run.map { _ in "" } : run }
  /// Nil where no channel has a history.
  let kept: KeptChannels?

  var server: RedisURL { dialer.server }

  /// - Parameter wake: Calls ``takeCalls()`` on the loop, from any thread.
  init(
    _ dialer: RedisDialer, _ configuration: RedisBroadcast.Configuration, on loop: EventLoop, _ inbox: DriverInbox,
    _ mailbox: PublishMailbox, wake: @escaping @Sendable () -> Void
  ) {
    self.dialer = dialer
    self.configuration = configuration
    self.loop = loop
    self.inbox = inbox
    presence = PresenceChannels(inbox)
    self.mailbox = mailbox
    self.wake = wake
    kept = KeptChannels(configuration, database: dialer.server.database)
  }

  // MARK: From its beginning to its end

  /// Returns why it ended. Then nothing of it is open, and nobody waits.
  func run() async -> BroadcastError {
    do throws(BroadcastError) {
      try await open()
      await untilFailure()
    } catch {
      fail(error)
    }
    let reason = failure ?? .ended
    timer.take()?.close()
    mailbox.close(because: reason)
    publishing.take()?.close(because: reason)
    closeAsking(because: reason)
    listening.take()?.close(because: reason)
    return reason
  }

  /// Ends the session.
  func fail(_ error: BroadcastError) {
    if failure != nil { return }
    failure = error
    login?.fail(error)
    // Also those of the beginning, when there is nobody yet who waits for a failure: the first probe's, and the trial.
    listening?.failRequests(because: error)
    asking.side?.failQuestions(because: error)
    waiter.take()?.resume()
  }

  /// The broadcast ends. Where it has members they have some time to leave.
  func end() {
    guard isConnected, presence.hasMembers, failure == nil else { return fail(.cancelled) }
    let due = loop.now + Self.lingering
    lingersUntil = due
    lookAtClock(notAfter: due)
  }

  /// All have left who were here.
  func finishPresence() { if lingersUntil != nil { fail(.cancelled) } }

  private func untilFailure() async {
    await withUnsafeContinuation { continuation in
      if failure == nil { waiter = continuation } else { continuation.resume() }
    }
  }

  private func open() async throws(BroadcastError) {
    if let failure { throw failure }
    do throws(NetworkError) { timer = try LoopTimer(on: loop) } catch {
      throw RedisError.connecting(error, to: server)
    }
    timer?.whenClosed = { [weak self] in self?.fail(.ended) }
    let (listeningLine, _) = try await openLine(for: kept == nil ? .messages : .histories)
    listening = ListeningSide(
      listeningLine, server, kept,
      ListeningSide.Session(
        inbox: inbox, probeChannel: Array(probeChannel.name.utf8),
        probeArrived: { [weak self] in self?.probeArrived($0) },
        presenceArrived: { [weak self] in self?.presence.arrived($1, on: $0) },
        heard: { [weak self] in self?.heardListening(delivered: $0) },
        fail: { [weak self] in self?.fail($0) },
        leftOut: { [configuration] in configuration.hub.onEvent?($0) },
        maximumBytes: configuration.maximumReceivedBytes),
      on: loop)
    if let kept { try await tryHistories(kept.names) }
    let (publishingLine, knowsRole) = try await openLine(for: kept == nil ? .messages : .histories)
    publishing = PublishingSide(
      publishingLine, server, asksRole: knowsRole, recordCommand, heard: { [weak self] in self?.heardPublishing() },
      fail: { [weak self] in self?.fail($0) })
    try await ask(.subscribe, .init(name: Array(probeChannel.name.utf8)))
    probes = ProbeSchedule(now: loop.now)
    lookAtClock()
  }

  private var recordCommand: RecordCommand? {
    guard let kept, let run = historyRun, let digest = asking.side?.digest(of: .record) else { return nil }
    return RecordCommand(kept, run: run, digest: digest)
  }

  /// A line that is logged in, and whether the server tells its role there.
  func openLine(
    for purpose: Login.Purpose, maximumPieces: Int = ReplyReader.usualPieces
  ) async throws(BroadcastError) -> (line: RedisLine, knowsRole: Bool) {
    let end = loop.now + dialer.timeout
    let line: RedisLine
    let stream = try await dialer.connect(on: loop)
    do throws(ReplyReader.Violation) {
      line = try RedisLine(stream, limit: configuration.maximumReceivedBytes, maximumPieces: maximumPieces)
    } catch {
      throw RedisError.connecting(NetworkError(.system, error.text), to: server)
    }
    if let failure {
      line.close()
      throw failure
    }
    let login = LoginExchange(on: line, dialer, for: purpose)
    self.login = login
    defer { self.login = nil }
    try await login.run(within: end - loop.now, on: loop, dialer.timeout)
    if let run, run != login.run, purpose == .histories {
      line.close()
      throw RedisError.differentServers(server)
    }
    run = run ?? login.run
    return (line, login.knowsRole)
  }

  // MARK: Subscribing

  func ask(
    _ kind: ListeningSide.Requests.Kind, _ subject: ListeningSide.Requests.Subject
  ) async throws(BroadcastError) {
    let error: BroadcastError? = await withUnsafeContinuation { continuation in
      guard failure == nil, let listening else {
        return continuation.resume(returning: failure ?? .notConnected)
      }
      let deadline = loop.now + configuration.subscribeTimeout
      listening.ask(kind, subject, deadline: deadline, continuation)
      lookAtClock(notAfter: deadline)
    }
    if let error { throw error }
  }

  /// Unsubscribes from a channel whose caller was told that it failed.
  func giveUp(_ channel: Channel) {
    guard failure == nil else { return }
    listening?.ask(.unsubscribe, .init(name: Array(channel.name.utf8)), deadline: .distantFuture, nil)
  }

  // MARK: Publishing

  /// There are calls in the mailbox. What else comes until the turn's end goes with them.
  func takeCalls() {
    if willTakeCalls { return }
    willTakeCalls = true
    loop.atTurnEnd { [self] in
      willTakeCalls = false
      let deadline = loop.now + configuration.publishTimeout
      // After the end the mailbox is empty.
      publishing?.publish(mailbox.takeAll(), deadline: deadline)
      lookAtClock(notAfter: deadline)
    }
  }

  // MARK: Probes

  private func heardListening(delivered: Bool) {
    probes?.heardListening(now: loop.now)
    if delivered { probes?.delivered(now: loop.now) }
  }

  private func heardPublishing() { probes?.heardPublishing(now: loop.now) }

  private func probeArrived(_ number: UInt64) {
    guard let delay = probes?.arrived(number, now: loop.now) else { return }
    if !isConnected {
      isConnected = true
      mailbox.open(wake)
      inbox.connected()
    }
    inbox.probed(after: delay)
    lookAtClock()
  }

  // MARK: Deadlines

  /// Sees to it that the clock is looked at in time.
  func lookAtClock(notAfter due: LoopInstant) {
    guard failure == nil, due < timerDue else { return }
    timerDue = due
    // In the next turn: what waits in the sockets of a program that was held up is looked at first.
    timer?.start(after: due - loop.now) { [self] in loop.inNextTurn { [self] in lookAtClock() } }
  }

  /// Does all that is due.
  private func lookAtClock() {
    guard failure == nil else { return }
    timerDue = .distantFuture
    let now = loop.now
    if let lingersUntil, now >= lingersUntil { return fail(.cancelled) }
    publishing?.expire(now: now, after: configuration.publishTimeout)
    listening?.expire(now: now, after: configuration.subscribeTimeout)
    asking.side?.expire(now: now, after: configuration.queryTimeout)
    let deadlines = [publishing?.nextDeadline, listening?.nextDeadline, asking.side?.nextDeadline, lingersUntil]
    var next = deadlines.lazy.compactMap(\.self).min() ?? .distantFuture
    switch probes?.step(now: now) {
    case .probe(let number):
      publishing?.probe(Array("\(number)".utf8), on: probeChannel)
      if let side = asking.side {
        let deadline = now + configuration.queryTimeout
        side.keepAlive(deadline: deadline)
        next = min(next, deadline)
      }
      if case .wait(let until) = probes?.step(now: now) { next = min(next, until) }
    case .wait(let until):
      next = min(next, until)
    case .dead:
      return fail(RedisError.silent(server, isNew: !isConnected))
    case .slow:
      return fail(RedisError.slow(server))
    case nil:
      break
    }
    lookAtClock(notAfter: next)
  }
}
