//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork
import BroadcastingWeb

/// The way to the server: the connections for publishing, and a socket for each channel.
actor RemoteConnection: PublishingConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// The largest message that a server may send.
  private static let maximumReceivedBytes = 64 * 1024 * 1024

  private let requests: ServerRequests
  private let configuration: RemoteBroadcast.Configuration
  private let answers: ServerAnswers
  private let dialer: Dialer
  private let connections: PushConnections
  private let settings: WebSocketSettings
  private var pause = ServerPause()

  // The session.
  private var inbox: DriverInbox?
  private var sockets: [Channel: ChannelSocket] = [:]
  /// Why the session has to end.
  private var failure: BroadcastError?
  private var sessionWaiter: UnsafeContinuation<Void, Never>?
  private var hasEnded = false

  init(_ requests: ServerRequests, _ configuration: RemoteBroadcast.Configuration, on loop: EventLoop) {
    self.loop = loop
    self.requests = requests
    self.configuration = configuration
    answers = ServerAnswers(url: requests.url)
    dialer = Dialer(requests.url, configuration, on: loop)
    connections = PushConnections(
      dialer, limit: configuration.maximumConnections, timeout: configuration.requestTimeout)
    settings = WebSocketSettings(
      limits: WebSocketLimits(messageBytes: Self.maximumReceivedBytes), timeouts: configuration.sockets)
  }

  // MARK: A session

  /// Looks whether a server of ours is there, and stays as long as it can be reached.
  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    try await sitOutPause()
    try await probe()
    if Task.isCancelled { throw RemoteError.cancelled() }
    self.inbox = inbox
    failure = nil
    inbox.connected()
    await withTaskCancellationHandler {
      while failure == nil, !Task.isCancelled { await waitForFailure() }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.wakeSession() } }
    }
    let reason = failure ?? RemoteError.ended
    failure = reason
    self.inbox = nil
    for socket in sockets.values { socket.leave() }
    sockets = [:]
    await connections.fail(reason.with(.notSent))
    throw reason
  }

  /// The broadcast's `run()` is over.
  func close() async {
    hasEnded = true
    await connections.close(RemoteError.ended)
  }

  private func waitForFailure() async {
    await withUnsafeContinuation { continuation in
      if failure != nil || Task.isCancelled { continuation.resume() } else { sessionWaiter = continuation }
    }
  }

  private func wakeSession() { sessionWaiter.take()?.resume() }

  private func fail(_ error: BroadcastError) {
    guard inbox != nil, failure == nil else { return }
    failure = error.with(nil)
    wakeSession()
  }

  /// A short pause is waited out here. A long one is an error, so that the hub can say what it waits for.
  private func sitOutPause() async throws(BroadcastError) {
    guard let left = pause.left(now: .now) else { return }
    let error = RemoteError.leftAlone(requests.url, for: left, pause.refusal)
    guard left <= configuration.hub.longestReconnectDelay else { throw error }
    // The server's own wish. It fails only when the task is cancelled.
    do { try await Task.sleep(for: left) } catch { throw RemoteError.cancelled() }
  }

  private func probe() async throws(BroadcastError) {
    let connection: HTTPClientConnection
    do throws(NetworkError) { connection = try await dialer.connect() } catch {
      throw RemoteError.connecting(error, to: requests.url)
    }
    let response: HTTPResponse
    do throws(HTTPExchangeFailure) {
      response = try await connection.send(requests.probe, within: configuration.requestTimeout)
    } catch {
      await connection.close()
      throw RemoteError.exchange(error, with: requests.url, isPublishing: false)
    }
    if let error = answers.error(response, to: .probe) {
      await connection.close()
      note(error)
      throw error
    }
    // The first message has its connection by it.
    await connections.adopt(connection)
  }

  // MARK: What is common to all requests

  private func checkIsOpen() throws(BroadcastError) {
    if hasEnded || inbox == nil && failure == nil { throw RemoteError.ended }
    if let failure { throw failure }
    if let left = pause.left(now: .now) { throw RemoteError.leftAlone(requests.url, for: left, pause.refusal) }
  }

  /// Draws the consequences of an error for others than the one who gets it.
  private func note(_ error: BroadcastError) {
    guard let refusal = error.underlying as? ServerRefusal, let time = refusal.retryAfter, time > .zero else { return }
    pause.begin(refusal, now: .now)
    // Without a socket nothing is lost by it, and the hub's pauses fit.
    if sockets.isEmpty { fail(error) }
  }

  /// The server cannot be reached, unless the fault is on this side. While a socket stands that concerns the caller alone:
  /// the others need not be torn down because a name could not be looked up for a moment.
  private func noteConnecting(_ error: BroadcastError) {
    guard sockets.isEmpty, let cause = error.underlying as? NetworkError else { return }
    switch cause.code {
    case .cancelled, .descriptorsExhausted, .closed: break
    default: fail(error)
    }
  }

  /// A connection that was taken and given up without a word, as a proxy does whose server is away, is none.
  private func noteLoss(_ failure: HTTPExchangeFailure, _ error: BroadcastError) {
    guard sockets.isEmpty, failure.broughtNothing, failure.isLoss, error.code != .timedOut else { return }
    fail(error)
  }

  // MARK: Subscribing

  func subscribe(to channel: Channel) async throws(BroadcastError) {
    do throws(BroadcastError) {
      try await open(channel)
    } catch {
      // It is the session that fails, and not this channel alone. The hub tells all of them so, and then cancels its calls.
      if failure != nil { await untilCancelled() }
      throw error
    }
  }

  private func open(_ channel: Channel) async throws(BroadcastError) {
    try checkIsOpen()
    guard let inbox else { throw RemoteError.ended }
    let connection: HTTPClientConnection
    do throws(NetworkError) { connection = try await dialer.connect() } catch {
      let error = RemoteError.connecting(error, to: requests.url)
      noteConnecting(error)
      throw error
    }
    let opening: WebSocketOpening
    do throws(HTTPExchangeFailure) {
      opening = try await connection.openWebSocket(
        requests.events(channel), settings, within: configuration.requestTimeout)
    } catch {
      await connection.close()
      let reason = RemoteError.exchange(error, with: requests.url, isPublishing: false)
      noteLoss(error, reason)
      throw reason
    }
    switch opening {
    case .refused(let response):
      await connection.close()
      let error = answers.error(response, to: .events(channel)) ?? RemoteError.ended
      note(error)
      throw error
    case .opened(let socket):
      let entry = ChannelSocket(channel, socket, inbox) { [weak self] entry, close in
        self?.assumeIsolated { $0.ended(entry, close) }
      }
      // The session may have gone meanwhile.
      guard !Task.isCancelled, failure == nil, self.inbox != nil else {
        entry.leave()
        throw failure ?? RemoteError.cancelled()
      }
      sockets.updateValue(entry, forKey: channel)?.leave()
      entry.start()
    }
  }

  func unsubscribe(from channel: Channel) {
    sockets.removeValue(forKey: channel)?.stop()
  }

  private func ended(_ entry: ChannelSocket, _ close: WebSocketClose) {
    guard sockets[entry.channel] === entry else { return }
    sockets[entry.channel] = nil
    inbox?.lost(
      entry.channel, because: RemoteError.closed(close, by: requests.url),
      reason: close.code == .missedMessages ? .brokerLoss : .connectionLost)
    // What else went this way is probably gone too.
    if close.origin == .connection { connections.assumeIsolated { $0.dropFree() } }
  }

  // MARK: Publishing

  nonisolated func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    // A task without this preference would take a detour over the global pool at each step on the loop.
    try await withTaskExecutorPreference(loop) { () async throws(BroadcastError) in
      try await publishInTurn(messages)
    }
  }

  /// Publishes one message after the other, on one connection for as long as that lasts.
  private func publishInTurn(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    var lent: PushConnections.Lent?
    var count = 0
    do throws(BroadcastError) {
      for message in messages {
        try await publish(message, over: &lent)
        count += 1
      }
    } catch {
      if let lent { await connections.takeBack(lent) }
      throw count == 0 ? error.with(error.outcome ?? .notSent) : Self.partly(error, count, of: messages.count)
    }
    if let lent { await connections.takeBack(lent) }
    return [Receipt](repeating: Receipt(), count: messages.count)
  }

  private func publish(_ message: Message, over lent: inout PushConnections.Lent?) async throws(BroadcastError) {
    try checkIsOpen()
    let deadline = ContinuousClock.now + configuration.requestTimeout
    while true {
      let now = try await connection(&lent, by: deadline)
      let response: HTTPResponse
      do throws(HTTPExchangeFailure) {
        response = try await now.connection.send(requests.push(message), within: max(.zero, deadline - .now))
      } catch {
        // It ended before anything was written, so nothing is sent twice on another one.
        if now.wasFree, !error.wasWritten, error.isLoss { continue }
        if error.wasWritten, error.isLoss { await connections.dropFree() }
        let reason = RemoteError.exchange(error, with: requests.url, isPublishing: true)
        noteLoss(error, reason)
        throw reason
      }
      guard let error = answers.error(response, to: .push(message.channel)) else { return }
      note(error)
      throw error
    }
  }

  /// The connection in hand, or another one where that has ended.
  private func connection(
    _ lent: inout PushConnections.Lent?, by deadline: ContinuousClock.Instant
  ) async throws(BroadcastError) -> PushConnections.Lent {
    if let old = lent {
      if await old.connection.isReusable { return old }
      lent = nil
      await connections.takeBack(old)
    }
    do throws(BroadcastError) {
      let new = try await connections.lend(by: deadline)
      lent = new
      return new
    } catch {
      noteConnecting(error)
      throw error
    }
  }

  /// The outcome holds for all messages of a call, and some have arrived.
  private static func partly(_ error: BroadcastError, _ count: Int, of all: Int) -> BroadcastError {
    var error = error
    error.message = "The first \(count) of \(all) messages were published. The next one failed: \(error.message)"
    error.outcome = .unconfirmed
    return error
  }
}

extension BroadcastError {
  fileprivate func with(_ outcome: Outcome?) -> BroadcastError {
    var copy = self
    copy.outcome = outcome
    return copy
  }
}
