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

  let requests: ServerRequests
  let configuration: RemoteBroadcast.Configuration
  let answers: ServerAnswers
  let dialer: Dialer
  let connections: PushConnections
  let settings: WebSocketSettings
  private var pause = ServerPause()

  // The session.
  private(set) var inbox: DriverInbox?
  var sockets: [Channel: ChannelSocket] = [:]
  /// Whether the server can say where its frames stand. One of before that refuses to be asked.
  var speaksPositions = true
  /// Why the session has to end.
  private(set) var failure: BroadcastError?
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
    speaksPositions = true
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

  func fail(_ error: BroadcastError) {
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

  func checkIsOpen() throws(BroadcastError) {
    if hasEnded || inbox == nil && failure == nil { throw RemoteError.ended }
    if let failure { throw failure }
    if let left = pause.left(now: .now) { throw RemoteError.leftAlone(requests.url, for: left, pause.refusal) }
  }

  /// Draws the consequences of an error for others than the one who gets it.
  func note(_ error: BroadcastError) {
    guard let refusal = error.underlying as? ServerRefusal, let time = refusal.retryAfter, time > .zero else { return }
    pause.begin(refusal, now: .now)
    // Without a socket nothing is lost by it, and the hub's pauses fit.
    if sockets.isEmpty { fail(error) }
  }

  /// The server cannot be reached, unless the fault is on this side. While a socket stands that concerns the caller alone:
  /// the others need not be torn down because a name could not be looked up for a moment.
  func noteConnecting(_ error: BroadcastError) {
    guard sockets.isEmpty, let cause = error.underlying as? NetworkError else { return }
    switch cause.code {
    case .cancelled, .descriptorsExhausted, .closed: break
    default: fail(error)
    }
  }

  /// A connection that was taken and given up without a word, as a proxy does whose server is away, is none.
  func noteLoss(_ failure: HTTPExchangeFailure, _ error: BroadcastError) {
    guard sockets.isEmpty, failure.broughtNothing, failure.isLoss, error.code != .timedOut else { return }
    fail(error)
  }
}

extension BroadcastError {
  func with(_ outcome: Outcome?) -> BroadcastError {
    var copy = self
    copy.outcome = outcome
    return copy
  }
}
