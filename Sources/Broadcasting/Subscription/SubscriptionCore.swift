//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// What a subscription is inside: its places in the channels' logs, and its one reader who may sleep.
///
/// The hub holds this, never the ``Subscription`` itself, so that dropping that ends it.
final class SubscriptionCore: Sendable {
  /// A place in one channel.
  final class Membership: Sendable {
    let feed: ChannelFeed
    let slot: Int
    /// The latch of its subscribing, where a driver is asked.
    let latch: Latch?
    /// The feed's tip when the reader had got everything: a hint that spares the lock.
    fileprivate let seen = Atomic<Int>(-1)

    init(feed: ChannelFeed, slot: Int, latch: Latch?) {
      self.feed = feed
      self.slot = slot
      self.latch = latch
    }
  }

  private enum End: Sendable {
    /// `run()` has ended: what is buffered can still be read.
    case finished
    /// It was cancelled, or has failed and told so: nothing is left.
    case closed
  }

  private enum Wake: Sendable {
    case nobody
    case waiter(UnsafeContinuation<Void, Never>)
    case callback(@Sendable () -> Void)

    func perform() {
      switch self {
      case .nobody: break
      // The thread sanitizer may report a race here, which is none: where the reader is resumed before it awaits, the Swift
      // runtime orders the two by an atomic of the continuation that the sanitizer isn't told of (swiftlang/swift#57803).
      case .waiter(let waiter): waiter.resume()
      case .callback(let callback): callback()
      }
    }
  }

  private struct State: Sendable {
    var memberships: [Membership] = []
    /// What became of their starts. Empty where no channel has a history.
    var recoveries: [Recovery] = []
    // Resumed once: it stays here until somebody takes it out under the lock.
    var waiter: UnsafeContinuation<Void, Never>?
    var wakeUp: (@Sendable () -> Void)?
    var isSignalled = false
    var isClaimed = false
    var end: End?
    /// Where the next look begins, so that a busy channel does not starve the others.
    var turn = 0
    var dropped = 0
    var nextDropReport = 1

    mutating func takeSleeper() -> Wake {
      if let waiter {
        self.waiter = nil
        return .waiter(waiter)
      }
      guard let wakeUp, !isSignalled else { return .nobody }
      isSignalled = true
      return .callback(wakeUp)
    }
  }

  private let state = Lock(State())
  private let overflow: BufferPolicy.Overflow
  private let hub: Hub
  private let isCallback = Atomic<Bool>(false)
  /// Whether nothing more may come, not even what a reader has in hand.
  private let hasClosed = Atomic<Bool>(false)

  init(hub: Hub, overflow: BufferPolicy.Overflow) {
    self.hub = hub
    self.overflow = overflow
  }

  /// Gives it its places, once. False when it has ended already; then the caller has to leave the feeds.
  func begin(_ memberships: [Membership]) -> Bool {
    state.withLock { state in
      guard state.end != .closed else { return false }
      state.memberships = memberships
      return true
    }
  }

  /// Says once what became of the starts, in the order of the memberships.
  func setRecoveries(_ recoveries: [Recovery]) { state.withLock { $0.recoveries = recoveries } }

  var recoveries: [Recovery] { state.withLock { $0.recoveries } }

  /// Makes the caller the one reader. False when there is one.
  func claim() -> Bool {
    state.withLock { state in
      defer { state.isClaimed = true }
      return !state.isClaimed
    }
  }
}

// MARK: Ending and waking

extension SubscriptionCore {
  /// Ends it now and leaves all channels. What is still unread goes.
  func close() {
    hasClosed.store(true, ordering: .relaxed)
    let (memberships, wake) = state.withLock { state in
      state.end = .closed
      defer { state.memberships = [] }
      return (state.memberships, state.takeSleeper())
    }
    for membership in memberships { hub.leave(membership, self) }
    wake.perform()
  }

  /// Ends it once what is buffered has been read.
  func finish() {
    state.withLock { state in
      if state.end == nil { state.end = .finished }
      return state.takeSleeper()
    }.perform()
  }

  var isClosed: Bool { hasClosed.load(ordering: .relaxed) }

  /// Wakes whoever reads.
  func wake() { state.withLock { $0.takeSleeper() }.perform() }

  /// Wakes a reader who is called. False when the reader is a task, which is still asleep then.
  func wakeByCallback() -> Bool {
    guard isCallback.load(ordering: .relaxed) else { return false }
    wake()
    return true
  }

  /// Has `wakeUp` called, once, when there is something to read, until the next ``takeBatch(maximumMessages:maximumBytes:)``.
  func setWakeUp(_ wakeUp: @escaping @Sendable () -> Void) {
    isCallback.store(true, ordering: .relaxed)
    let (memberships, hasEnded) = state.withLock { state in
      state.wakeUp = wakeUp
      return (state.memberships, state.end != nil)
    }
    // All of them: each channel that has nothing yet must know its sleeper.
    let unread = memberships.filter { !$0.feed.sleep($0.slot, of: self) }
    if hasEnded || !unread.isEmpty { wake() }
  }
}

// MARK: Reading

extension SubscriptionCore {
  /// What a look finds.
  enum Look: Sendable {
    case deliveries([Delivery], Range<Int>)
    case nothing
    case ended
  }

  /// Waits for deliveries, at most a segment. Nil is the end; a cancelled task ends the subscription.
  func next() async throws(BroadcastError) -> (deliveries: [Delivery], range: Range<Int>)? {
    while true {
      if Task.isCancelled {
        close()
        return nil
      }
      switch try look() {
      case .deliveries(let deliveries, let range): return (deliveries, range)
      case .ended: return nil
      case .nothing: await sleep()
      }
    }
  }

  /// Takes what is there, at most a segment, without waiting.
  func look(
    maximumMessages: Int = .max, maximumBytes: Int = .max, sleeps: Bool = false
  ) throws(BroadcastError) -> Look {
    let (memberships, end, turn) = state.withLock { ($0.memberships, $0.end, $0.turn) }
    if end == .closed { return .ended }
    for step in memberships.indices {
      let index = (turn + step) % memberships.count
      let membership = memberships[index]
      // With `sleeps` the feed has to be asked in any case, so that it puts the reader among its sleepers.
      if !sleeps, membership.seen.load(ordering: .relaxed) == membership.feed.currentTip { continue }
      let reading = membership.feed.read(
        membership.slot, of: self, maximumMessages: maximumMessages, maximumBytes: maximumBytes, sleeps: sleeps)
      membership.seen.store(reading.seen, ordering: .relaxed)
      guard let chunk = reading.chunk else { continue }
      if memberships.count > 1 { state.withLock { $0.turn = index + 1 } }
      guard let skip = chunk.skip else { return .deliveries(chunk.elements, chunk.range) }
      return .deliveries(
        [try gap(skip, in: membership.feed.topic)] + chunk.elements[chunk.range], 0..<chunk.range.count + 1)
    }
    guard end == .finished else { return .nothing }
    close()
    return .ended
  }

  private func gap(_ skip: SegmentLog<Delivery>.Skip, in topic: Topic) throws(BroadcastError) -> Delivery {
    report(skip.messages ?? 1, in: topic)
    guard overflow == .dropOldest else {
      close()
      throw BroadcastError(
        .fellBehind,
        "The subscription to \(topic) is \(skip.messages.map(String.init) ?? "some") messages further behind than "
          + "its buffer holds. Read faster, raise the limits of its BufferPolicy, or use .dropOldest.")
    }
    let reason: Gap.Reason = skip.isByMemoryLimit ? .memoryLimit : .slowConsumer
    return .gap(Gap(topic, missed: skip.messages, reason: reason))
  }

  private func report(_ missed: Int, in topic: Topic) {
    let total = state.withLock { state -> Int? in
      state.dropped += missed
      guard state.dropped >= state.nextDropReport else { return nil }
      while state.nextDropReport <= state.dropped { state.nextDropReport *= 2 }
      return state.dropped
    }
    if let total { hub.emit(BroadcastEvent(.dropped, topic, count: total)) }
  }

  /// Sleeps until there is something to read, the subscription ended or the task was cancelled.
  private func sleep() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { waiter in
        let (memberships, other) = state.withLock { state -> ([Membership], UnsafeContinuation<Void, Never>?) in
          guard state.end == nil else { return ([], waiter) }
          // There is one reader. Should a second one come all the same, the first looks again instead of being lost.
          defer { state.waiter = waiter }
          return (state.memberships, state.waiter)
        }
        other?.resume()
        // The waiter can be woken from here on. What came before is found by asking each feed, and a cancellation
        // before it by asking the task, because its handler has already run then.
        if Task.isCancelled || memberships.contains(where: { !$0.feed.sleep($0.slot, of: self) }) { wake() }
      }
    } onCancel: {
      wake()
    }
  }
}

// MARK: Reading in batches without waiting

extension SubscriptionCore {
  /// - Parameter channel: nil for all.
  func unreadMessages(in channel: Channel?) -> Int {
    state.withLock { $0.memberships }.reduce(0) {
      channel == nil || $1.feed.topic.channel == channel ? $0 + $1.feed.unreadMessages($1.slot, of: self) : $0
    }
  }

  func takeBatch(maximumMessages: Int, maximumBytes: Int) -> SubscriptionBatch {
    state.withLock { $0.isSignalled = false }
    var batch = SubscriptionBatch()
    var bytes = 0
    do throws(BroadcastError) {
      while true {
        guard batch.deliveries.count < maximumMessages, bytes < maximumBytes else {
          batch.hasMore = true
          return batch
        }
        let look = try look(
          maximumMessages: maximumMessages - batch.deliveries.count, maximumBytes: maximumBytes - bytes, sleeps: true)
        switch look {
        case .nothing:
          return batch
        case .ended:
          batch.end = .finished
          return batch
        case .deliveries(let deliveries, let range):
          for index in range { bytes += deliveries[index].bufferedBytes }
          if batch.deliveries.isEmpty, range.count == deliveries.count {
            batch.deliveries = deliveries
          } else {
            batch.deliveries.append(contentsOf: deliveries[range])
          }
        }
      }
    } catch {
      batch.end = .failed(error)
      return batch
    }
  }
}
