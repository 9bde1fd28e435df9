//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// The changes of one key, or all of them, on one loop, and who gets them.
final class LiveFeed: FrameFeed {
  let source: LiveSource
  /// Nil for all changes.
  let key: String?

  /// States that are being read, or whose sockets do not read the log yet, in no order.
  private(set) var reads: [LiveRead] = []
  /// The last one of each name, by its bytes. Those before it are not pending any more.
  private var named: [[UInt8]: LiveRead] = [:]
  /// Those that read the log, and all others.
  var memberCount = 0

  /// Frames that came together and are still to be appended to the log.
  private(set) var pending: [UInt8] = []
  private(set) var pendingCount = 0
  /// Whether it is among those that got something of what is being taken.
  var isTouched = false
  /// Whether its source waits until its sockets have been served.
  var isAwaited = false

  init(_ source: LiveSource, _ key: String?) {
    self.source = source
    self.key = key
  }

  override var isUnused: Bool { super.isUnused && memberCount == 0 }

  /// The reading of that name whose state is still to come, or a new one.
  func read(_ name: String?) -> LiveRead {
    let bytes = name.map { Array($0.utf8) }
    if let bytes, let read = named[bytes], read.isPending { return read }
    let read = LiveRead(bytes, at: reads.count)
    reads.append(read)
    if let bytes { named[bytes] = read }
    return read
  }

  /// Takes out a reading, and puts the last one in its place: there may be one for each socket.
  func remove(_ read: LiveRead) {
    guard reads.indices.contains(read.index), reads[read.index] === read else { return }
    let last = reads.removeLast()
    if last !== read {
      reads[read.index] = last
      last.index = read.index
    }
    if let name = read.name, named[name] === read { named[name] = nil }
  }

  func hold(_ frame: [UInt8]) {
    taken += 1
    // With nobody to read it, it would stay.
    if readers.isEmpty { return }
    if pending.isEmpty { pending = frame } else { pending.append(contentsOf: frame) }
    pendingCount += 1
  }

  func appendPending(age: Int, limits: LogLimits) {
    if pendingCount > 0 { log.append(pending, messages: pendingCount, age: age, limits: limits) }
    (pending, pendingCount) = ([], 0)
  }
}

/// Where the changes of live resources come from on one loop: one subscription, whose messages are decoded once, and the
/// feeds by key. A change reaches only those that want it.
final class LiveSource {
  let changes: LiveChanges.Storage
  let subscription: Subscription

  /// By the bytes of their keys: `==` of `String` takes "é" and "e" with a combining accent for one.
  private var keyed: [[UInt8]: LiveFeed] = [:]
  private var unkeyed: LiveFeed?
  /// Sockets that are still to come.
  var reservations = 0
  /// Messages of each channel that were ever taken.
  var taken: [Channel: Int] = [:]

  var hasMore = false
  var isScheduled = false
  /// Feeds whose sockets have not all been served yet.
  var awaited = 0
  var restsUntil: ContinuousClock.Instant?

  init(_ changes: LiveChanges.Storage, _ subscription: Subscription) {
    self.changes = changes
    self.subscription = subscription
  }

  /// How many messages of each channel were taken, or wait to be. Of several channels some may be taken before what came
  /// earlier on another.
  var arrived: [Channel: Int] {
    changes.channels.reduce(into: [:]) { $0[$1] = taken[$1, default: 0] + subscription.unreadMessages(in: $1) }
  }

  var feeds: [LiveFeed] { (unkeyed.map { [$0] } ?? []) + keyed.values }
  var isUnused: Bool { unkeyed == nil && keyed.isEmpty && reservations == 0 }

  /// The feed of a key, which is made where there is none.
  func feed(_ key: String?) -> LiveFeed {
    let bytes = key.map { Array($0.utf8) }
    let present = if let bytes { keyed[bytes] } else { unkeyed }
    if let present { return present }
    let feed = LiveFeed(self, key)
    if let bytes { keyed[bytes] = feed } else { unkeyed = feed }
    return feed
  }

  /// Who comes next gets another feed. False if it had been taken out before.
  @discardableResult
  func remove(_ feed: LiveFeed) -> Bool {
    if let key = feed.key.map({ Array($0.utf8) }) {
      guard keyed[key] === feed else { return false }
      keyed[key] = nil
    } else {
      guard unkeyed === feed else { return false }
      unkeyed = nil
    }
    return true
  }

  /// Each feed that a change belongs to.
  func feeds(of change: LiveChange) -> [LiveFeed] {
    if change.isForEveryKey { return self.feeds }
    var feeds: [LiveFeed] = []
    if let unkeyed { feeds.append(unkeyed) }
    for key in change.keys {
      if let feed = keyed[Array(key.utf8)], !feeds.contains(where: { $0 === feed }) { feeds.append(feed) }
    }
    return feeds
  }
}
