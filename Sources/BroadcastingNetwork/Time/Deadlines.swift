//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Whoever has a deadline on a loop.
package protocol DeadlineTarget: AnyObject {
  /// Called once on the loop when the deadline that was set has passed.
  func deadlinePassed()
}

/// The deadlines of all sockets of a loop: one look at all of them each second, in place of a timer for each.
///
/// To set, to move and to clear one is a store into an array. A deadline is noticed up to a second late, never early.
/// A target has to leave before it goes: it is not retained.
package final class Deadlines {
  /// A target's place.
  package struct Place: Hashable, Sendable { fileprivate let index: Int }

  private struct Entry {
    // Not retained: an entry for an idle socket costs 24 bytes and nothing when it is swept. A target leaves by
    // `remove` before it goes.
    unowned(unsafe) var target: (any DeadlineTarget)?
    var due: LoopInstant
  }

  package static let interval = Duration.seconds(1)

  private unowned let loop: EventLoop
  private var entries: [Entry] = []
  private var free: [Int] = []
  private var timer: LoopTimer?

  init(loop: EventLoop) { self.loop = loop }

  package var count: Int { entries.count - free.count }

  /// Adds a target, without a deadline as yet.
  package func add(_ target: any DeadlineTarget) -> Place {
    startSweeping()
    let entry = Entry(target: target, due: .distantFuture)
    if let index = free.popLast() {
      entries[index] = entry
      return Place(index: index)
    }
    entries.append(entry)
    return Place(index: entries.count - 1)
  }

  /// Sets the deadline, or moves it.
  package func set(_ place: Place, to due: LoopInstant) { entries[place.index].due = due }

  package func clear(_ place: Place) { entries[place.index].due = .distantFuture }

  /// The target leaves; its place may be another's next.
  package func remove(_ place: Place) {
    assert(entries[place.index].target != nil)
    entries[place.index] = Entry(target: nil, due: .distantFuture)
    free.append(place.index)
    if free.count == entries.count { stopSweeping() }
  }

  /// Tells everyone whose deadline is not after `now`.
  func sweep(now: LoopInstant) {
    // By index and without a copy: who is told may add and remove others, also itself.
    var index = 0
    while index < entries.count {
      if entries[index].due <= now, let target = entries[index].target {
        entries[index].due = .distantFuture
        target.deadlinePassed()
      }
      index += 1
    }
  }

  private func startSweeping() {
    if timer == nil, let timer = try? LoopTimer(on: loop) {
      self.timer = timer
      // By the end of the loop too, which the timer holds.
      timer.whenClosed = { [unowned self] in self.timer = nil }
      timer.start(after: Self.interval, every: Self.interval) { [unowned self] in sweep(now: loop.now) }
    }
  }

  private func stopSweeping() {
    entries = []
    free = []
    timer?.whenClosed = nil
    timer.take()?.close()
  }
}
