//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// The load itself: publishes when the schedule says so, gives what comes to the checker, and measures. All of it happens
/// in calls of the streams, on their loop.
final class LoadTest {
  private let loop: EventLoop
  private let requests: PublishRequests
  private let timeout: UInt64
  private var tally: LoadTally
  private(set) var cuts = Cuts()
  /// Why it ended before its time.
  private(set) var failure: Failure?
  private(set) var isStopped = false
  /// It was stopped early: what did not come may still have been on its way.
  private(set) var isBrokenOff = false
  /// Deliveries were waited for in vain, all messages having been answered.
  private(set) var gaveUp = false

  private var subscribers: [LoadSubscriber] = []
  /// WebSockets that are open, or were.
  private(set) var openedCount = 0
  private(set) var publishers: [LoadPublisher] = []
  private var nextPublisher = 0

  private var schedule: Schedule?
  private var published = 0
  private var toPublish = 0
  /// When something that was awaited last came.
  private var progressAt = Clocks.monotonic
  private var isConnecting = true
  private var isAwaitingTime = false
  private var timer: LoopTimer?
  private var waiter: UnsafeContinuation<Void, Never>?

  /// Subscribers that were lost while they should have had messages.
  struct Cuts: Hashable, Sendable {
    var count = 0
    /// Why the first one was.
    var reason: String?
  }

  init(_ options: BenchOptions, _ requests: PublishRequests, on loop: EventLoop) {
    self.loop = loop
    self.requests = requests
    timeout = options.timeout.wholeNanoseconds
    tally = LoadTally(
      checker: DeliveryChecker(
        subscribers: options.subscribers, channels: options.channels, connections: options.connectionCount,
        size: options.size))
    publishers = (0..<options.connectionCount).map { LoadPublisher($0, self) }
  }

  var messageBytes: Int { requests.messageBytes }
  var checker: DeliveryChecker { tally.checker }
  var measurement: Measurement { tally.measurement }
  /// Of the phase that is under way.
  var publishedCount: Int { published }

  // MARK: Subscribers

  func add(_ subscriber: LoadSubscriber) { subscribers.append(subscriber) }

  func subscriberOpened() {
    openedCount += 1
    progressAt = Clocks.monotonic
  }

  /// Takes the plain messages that a buffer begins with, and says how many bytes those were.
  func receive(plain bytes: UnsafeRawBufferPointer, by subscriber: Int, at now: UInt64) -> Int {
    let (consumed, isLast) = tally.receive(plain: bytes, by: subscriber, at: now)
    if consumed > 0 { received(isLast: isLast, at: now) }
    return consumed
  }

  func receive(_ payload: [UInt8], by subscriber: Int, at now: UInt64) {
    let isLast = payload.withUnsafeBytes { tally.receive($0, by: subscriber, at: now) }
    received(isLast: isLast, at: now)
  }

  private func received(isLast: Bool, at now: UInt64) {
    progressAt = now
    if isLast { proceed() }
    if tally.checker.missing.isFull {
      stop(because: Failure("too many deliveries are missing to go on", .failure))
    }
  }

  /// All messages are texts.
  func receiveBinary() { _ = tally.checker.damaged() }

  func cut(_ subscriber: Int, because reason: String) {
    cuts.count += 1
    cuts.reason = cuts.reason ?? reason
    tally.checker.cut(subscriber)
    proceed()
  }

  // MARK: Publishers

  func publisherConnected() {
    progressAt = Clocks.monotonic
    if isConnecting { wake() } else { proceed() }
  }

  func answered(_ number: Int, stamp: UInt64) {
    let now = Clocks.monotonic
    progressAt = now
    tally.answered(number, stamp: stamp, at: now)
    proceed()
  }

  // MARK: The phases, in the order in which they are called

  /// Watches over everything that is awaited, and calls `action` ten times a second.
  func startTicking(_ action: @escaping () -> Void) throws(NetworkError) -> LoopTimer {
    let ticker = try LoopTimer(on: loop)
    timer = try LoopTimer(on: loop)
    ticker.start(after: .milliseconds(100), every: .milliseconds(100)) { [unowned self] in
      noticeSilence()
      action()
    }
    return ticker
  }

  func untilPublishersAreConnected() async {
    while !isStopped, !publishers.allSatisfy(\.isFree) { await suspend() }
    isConnecting = false
  }

  /// Publishes so many messages, and returns when all are answered and delivered, or when it was stopped.
  func publish(_ count: Int, _ pace: Schedule.Pace, isMeasured: Bool) async {
    if isStopped || gaveUp { return }
    let now = Clocks.monotonic
    progressAt = now
    if isMeasured {
      tally.measuredFrom = tally.checker.window.next
      tally.measurement.start(at: now, cpu: Clocks.ownCPU)
    }
    schedule = Schedule(pace: pace, start: now)
    published = 0
    toPublish = count
    proceed()
    while !isStopped, !gaveUp, !isPhaseDone { await suspend() }
    schedule = nil
    if isMeasured {
      tally.measurement.end(at: gaveUp ? progressAt : Clocks.monotonic, cpu: Clocks.ownCPU, messages: published)
    }
  }

  private var isPhaseDone: Bool { published == toPublish && tally.checker.window.unfinishedCount == 0 }

  /// Ends the run early; nil as somebody wishes so.
  func stop(because failure: Failure?) {
    if isStopped { return }
    isStopped = true
    self.failure = failure
    isBrokenOff = true
    // Whoever waits for one of them to open is woken so.
    if isConnecting { closeSubscribers() }
    wake()
  }

  /// Closes all there is.
  func close() {
    isStopped = true
    schedule = nil
    timer.take()?.close()
    closeSubscribers()
    for publisher in publishers { publisher.close() }
  }

  private func closeSubscribers() {
    for subscriber in subscribers { subscriber.close() }
    subscribers = []
  }

  // MARK: Going on

  /// Publishes what is due. A message that was the last one wakes whoever waits for all of them.
  private func proceed() {
    guard let schedule, !isStopped else { return }
    while published < toPublish, !tally.checker.window.isFull {
      let underWay = tally.checker.window.unfinishedCount
      let now = Clocks.monotonic
      switch schedule.decide(index: published, underWay: underWay, now: now) {
      case .hold: return
      case .wait(let due): return proceed(at: due, now: now)
      case .publish(let stamp):
        guard let publisher = freePublisher() else { return }
        published += 1
        let number = tally.checker.publish(at: stamp, by: publisher.index)
        publisher.send(
          requests.make(Marker(number: number, stamp: stamp), channel: tally.checker.channel(of: number)), number,
          stamp: stamp)
      }
    }
    if isPhaseDone { wake() }
  }

  /// Comes back at a time. The loop's timers are good to a millisecond or two, which would be seen in each latency, so
  /// that the rest of the time is spent in turns of the loop.
  private func proceed(at due: UInt64, now: UInt64) {
    if isAwaitingTime { return }
    isAwaitingTime = true
    let left = due - now
    if left > 3_000_000 {
      timer?.start(after: .nanoseconds(Int64(left - 2_000_000))) { [unowned self] in timeCame() }
    } else {
      loop.inNextTurn { [self] in timeCame() }
    }
  }

  private func timeCame() {
    isAwaitingTime = false
    proceed()
  }

  private func freePublisher() -> LoadPublisher? {
    for _ in publishers.indices {
      let publisher = publishers[nextPublisher]
      nextPublisher = nextPublisher + 1 == publishers.count ? 0 : nextPublisher + 1
      if publisher.isFree { return publisher }
    }
    return nil
  }

  private func noticeSilence() {
    guard isConnecting || (schedule != nil && tally.checker.window.unfinishedCount > 0) else { return }
    let now = Clocks.monotonic
    guard now > progressAt, now - progressAt > timeout else { return }
    if isConnecting || publishers.contains(where: \.isWaiting) {
      stop(because: Failure("nothing came from the server any more, for as long as --timeout says", .timedOut))
    } else {
      gaveUp = true
      wake()
    }
  }

  private func suspend() async { await withUnsafeContinuation { waiter = $0 } }

  private func wake() { waiter.take()?.resume() }
}
