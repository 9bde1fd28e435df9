//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// One session with a cluster: what reads and what publishes, probes from this to that, and all deadlines.
///
/// It outlives the lines to the brokers: those are the library's, which makes them anew. While there are none it is suspended.
// Sendable: all of it is touched on the loop alone.
final class KafkaSession: @unchecked Sendable {
  /// What the connection does for it, from any thread.
  struct Calls: Sendable {
    /// Calls ``takeCalls()`` on the loop.
    var wake: @Sendable () -> Void
    /// Calls ``consumerHinted()`` on the loop.
    var hint: @Sendable () -> Void
  }

  let loop: EventLoop
  let url: KafkaURL
  let properties: KafkaProperties
  let configuration: KafkaBroadcast.Configuration
  let calls: Calls
  let handles = OpenHandles()
  let inbox: DriverInbox
  private let mailbox: PublishMailbox

  var publishing: PublishingSide?
  var listening: ListeningSide?
  var consumer: ConsumerHandle?
  private(set) var notices: NoticePipe?
  private(set) var asking: KafkaThread?
  private(set) var watching: KafkaThread?
  private(set) var stopping: KafkaThread?
  private var availability: Availability
  private var willTakeCalls = false
  private var timer: LoopTimer?
  private var timerDue = LoopInstant.distantFuture
  private var nextRefresh = LoopInstant.distantFuture

  /// Why the session has to end.
  private(set) var failure: BroadcastError?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(
    _ url: KafkaURL, _ properties: KafkaProperties, _ configuration: KafkaBroadcast.Configuration, on loop: EventLoop,
    _ inbox: DriverInbox, _ mailbox: PublishMailbox, _ calls: Calls
  ) {
    self.url = url
    self.properties = properties
    self.configuration = configuration
    self.loop = loop
    self.inbox = inbox
    self.mailbox = mailbox
    self.calls = calls
    availability = Availability(now: loop.now, limit: configuration.connectTimeout)
  }

  // MARK: From its beginning to its end

  /// Returns why it ended. Then nobody waits, and all of it is closed or about to be.
  func run() async -> BroadcastError {
    do throws(NetworkError) {
      try start()
      await untilFailure()
    } catch {
      fail(KafkaError.connecting(KafkaFailure(.connectionSetUp, error.message), to: url.servers))
    }
    let reason = failure ?? .ended
    mailbox.close(because: reason)
    publishing?.close(because: reason)
    listening?.close(because: reason)
    handles.disableNotices()
    notices.take()?.end()
    await destroyHandles()
    timer.take()?.close()
    return reason
  }

  /// Ends the session.
  func fail(_ error: BroadcastError) {
    if failure != nil { return }
    failure = error
    waiter.take()?.resume()
  }

  private func untilFailure() async {
    await withUnsafeContinuation { continuation in
      if failure == nil { waiter = continuation } else { continuation.resume() }
    }
  }

  private func start() throws(NetworkError) {
    if failure != nil { return }
    let timer = try LoopTimer(on: loop)
    timer.whenClosed = { [weak self] in self?.fail(.ended) }
    self.timer = timer
    notices = try NoticePipe(on: loop) { [weak self] in self?.queuesWait() }
    let asking = try KafkaThread(answeringOn: loop)
    self.asking = asking
    let watching = try KafkaThread(answeringOn: loop)
    self.watching = watching
    stopping = try KafkaThread(answeringOn: loop)
    open(asking, watching)
    lookAtClock()
  }

  /// How long the end waits for the library. Mostly that takes 2 ms; a call under way may hold it up, and then it ends by
  /// itself.
  private static let closingPatience = Duration.milliseconds(500)

  private func destroyHandles() async {
    defer { for thread in [asking, stopping] { thread?.end() } }
    guard let watching else { return }
    await withUnsafeContinuation { continuation in
      waiter = continuation
      timer?.whenClosed = { [self] in waiter.take()?.resume() }
      timer?.start(after: Self.closingPatience) { [self] in waiter.take()?.resume() }
      watching.run { [handles] in
        handles.destroyAll()
      } then: { [self] in
        waiter.take()?.resume()
      }
      watching.end()
    }
  }

  // MARK: What comes

  func queuesWait() {
    guard failure == nil else { return }
    publishing?.reportsWait()
    listening?.recordsWait()
  }

  /// The library's error callback, within a read.
  func consumerHinted() { if failure == nil { listening?.hint() } }

  // MARK: The hub's calls

  func ask(_ kind: ListeningSide.Kind, _ channel: Channel) async throws(BroadcastError) {
    let error: BroadcastError? = await withUnsafeContinuation { continuation in
      guard failure == nil, let listening else {
        return continuation.resume(returning: failure ?? .notConnected)
      }
      let deadline = loop.now + configuration.subscribeTimeout
      listening.ask(kind, channel, deadline: deadline, continuation)
      lookAtClock(notAfter: deadline)
    }
    if let error { throw error }
  }

  /// There are calls in the mailbox.
  func takeCalls() {
    if willTakeCalls { return }
    willTakeCalls = true
    loop.atTurnEnd { [self] in takeGathered(known: 0) }
  }

  /// With so many calls nothing more is gained by waiting for others.
  private static let gatheredCalls = 64

  /// Takes the calls once a turn brings no more of them. Callers that were answered together come back together, on other
  /// threads; and what the library is given while a request is on its way costs it a processor until the answer.
  private func takeGathered(known: Int) {
    let count = mailbox.count
    if count > known, count < Self.gatheredCalls {
      return loop.inNextTurn { [self] in takeGathered(known: count) }
    }
    willTakeCalls = false
    // After the end the mailbox is empty.
    let calls = mailbox.takeAll()
    let deadline = loop.now + configuration.publishTimeout
    publishing?.publish(calls, deadline: deadline)
    lookAtClock(notAfter: deadline)
  }

  // MARK: What the sides tell

  /// Probes can be published, and are read.
  func beginProbes(at place: PublishingSide.ProbePlace) {
    publishing?.probePlace = place
    availability.begin(now: loop.now)
    lookAtClock()
  }

  func probeArrived(_ number: UInt64) {
    let delay = availability.probeHeard(number, now: loop.now)
    lookAtClock()
    if let delay { inbox.probed(after: delay) }
  }

  func probeRefused(_ number: UInt64, _ failure: KafkaFailure) {
    availability.probeRefused(number, failure, now: loop.now)
    if failure.code.meansUnknownTopic { remakeProbeTopic() }
    lookAtClockSoon()
  }

  /// There is no right to read the probes.
  func probeUnreadable(_ failure: KafkaFailure) {
    availability.probeUnreadable(failure)
    lookAtClockSoon()
  }

  func heardListening() { availability.heardListening(now: loop.now) }

  func heardPublishing() { availability.heardPublishing(now: loop.now) }

  func libraryFailed(_ failure: KafkaFailure, _ kind: KafkaHandle.Kind) {
    // Before what the next line brings is read.
    listening?.suspect()
    availability.failed(failure, by: kind, now: loop.now)
    lookAtClockSoon()
  }

  // MARK: The clock

  private static let refreshInterval = Duration.seconds(5)
  /// A notice that was lost costs no more than this.
  private static let longestSleep = Duration.seconds(1)

  /// When all that is under way has been dealt with: the side that tells of something may be in the middle of it.
  private func lookAtClockSoon() { loop.inNextTurn { [weak self] in self?.lookAtClock() } }

  private func lookAtClock(notAfter due: LoopInstant) {
    guard failure == nil, due < timerDue else { return }
    timerDue = due
    // In the next turn: what waits in the queues of a program that was held up is looked at first.
    timer?.start(after: due - loop.now) { [weak self] in
      self?.queuesWait()
      self?.lookAtClockSoon()
    }
  }

  /// Does all that is due.
  private func lookAtClock() {
    guard failure == nil else { return }
    timerDue = .distantFuture
    let now = loop.now
    publishing?.expire(now: now)
    listening?.expire(now: now)
    if nextRefresh <= now {
      nextRefresh = now + Self.refreshInterval
      listening?.refresh()
    }
    let next = takeSteps(now)
    if failure != nil { return }
    lookAtClock(
      notAfter: min(
        next, publishing?.nextDeadline ?? .distantFuture, listening?.nextDeadline ?? .distantFuture, nextRefresh,
        now + Self.longestSleep))
  }

  /// Returns when the next is due.
  private func takeSteps(_ now: LoopInstant) -> LoopInstant {
    while failure == nil {
      switch availability.step(now: now) {
      case .publishProbe(let number): publishing?.probe(number)
      case .verify:
        listening?.verify { [weak self] isDone in
          guard let self else { return }
          availability.verified(isDone, now: loop.now)
          lookAtClockSoon()
        }
      case .suspend(let trouble):
        listening?.suspend()
        inbox.suspended(because: error(trouble))
      case .resume: resume(now)
      case .end(let trouble): fail(error(trouble))
      case .wait(let time): return time
      }
    }
    return .distantFuture
  }

  private func resume(_ now: LoopInstant) {
    if nextRefresh == .distantFuture {
      nextRefresh = now + Self.refreshInterval
      mailbox.open(calls.wake)
    }
    listening?.resume()
    inbox.connected()
  }

  private func error(_ trouble: Availability.Trouble) -> BroadcastError {
    // Before the first probe has arrived it is no suspension.
    let isNew = nextRefresh == .distantFuture
    switch trouble {
    case .failed(let failure):
      return isNew ? KafkaError.connecting(failure, to: url.servers) : KafkaError.suspended(failure, at: url.servers)
    case .probeRefused(let failure): return KafkaError.probing(failure, topic: url.probeTopic, at: url.servers)
    case .silent: return KafkaError.silent(url.servers, isNew: isNew)
    }
  }
}
