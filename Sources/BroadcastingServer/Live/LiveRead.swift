//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// One reading of a state, for one socket or for several that share it, and what becomes of the changes meanwhile.
///
/// Changes are recorded from before the state is read. Those at the front that the state includes are dropped. While it
/// includes all of them, the next ones are looked at as they come: the first that it does not include, and all behind it, are
/// sent. From there on its sockets read the log like all others.
///
/// It does no I/O: it is told what comes.
final class LiveRead {
  enum Phase {
    /// Nobody reads yet. Changes don't matter: the state will have them.
    case waiting
    /// The state is being read, changes are recorded.
    case reading
    /// Its sockets have the state, which includes all changes so far.
    case filtering
    /// Its sockets have to get the recorded changes, and go on in the log.
    case settled
    case over
  }

  let name: [UInt8]?
  /// Where its feed has it.
  var index: Int
  private(set) var phase = Phase.waiting
  private(set) var members: [Member] = []

  /// Whether somebody reads it, or is about to.
  var hasRunner = false { didSet { (isRunnerWoken, woken) = (false, nil) } }
  /// Whether somebody was woken to read it, and has not begun yet.
  private var isRunnerWoken = false
  /// Who that is, where it has a part in it already.
  private var woken: Member?
  /// Why there is no state.
  private(set) var error: (any Error)?

  /// Whether changes were missed since it began.
  private(set) var isStale = false
  private(set) var hasOverflown = false
  /// The messages that were there when it began: whatever they say was there for it to read.
  private var after: [Channel: Int] = [:]
  private var recorded: [(change: LiveChange, frame: [UInt8])] = []
  private var recordedBytes = 0
  private var includes: (@Sendable (LiveChange) -> Bool)?
  private var waiters: [UnsafeContinuation<Void, Never>] = []

  init(_ name: [UInt8]?, at index: Int) {
    self.name = name
    self.index = index
  }

  var wantsRunner: Bool { phase == .waiting && !hasRunner }
  /// Whether its state is still to come.
  var isPending: Bool { phase == .waiting || phase == .reading }

  // MARK: Reading

  /// - Parameter after: Messages of each channel that were taken, or wait to be, up to now.
  func begin(after: [Channel: Int]) {
    phase = .reading
    (isStale, hasOverflown) = (false, false)
    self.after = after
    clear()
  }

  /// Whoever read it could not, and somebody else may.
  func giveUp() {
    phase = .waiting
    hasRunner = false
    clear()
  }

  /// It could not be read, but will be by the same.
  func rest() {
    phase = .waiting
    clear()
  }

  func markStale() { isStale = true }

  /// Changes are taken from the front of what was recorded as long as the state includes them.
  ///
  /// - Parameter taken: Messages of each channel that were taken up to now.
  func finish(_ state: LiveState, taken: [Channel: Int]) {
    includes = state.includes
    if let includes {
      let first = recorded.firstIndex { !includes($0.change) } ?? recorded.endIndex
      recorded.removeFirst(first)
    }
    // Where the state does not say what it includes, that is what was there when its reading began.
    let knowsMore = includes != nil || after.contains { taken[$0, default: 0] < $1 }
    phase = recorded.isEmpty && knowsMore ? .filtering : .settled
  }

  func fail(_ error: any Error) {
    self.error = error
    end()
  }

  /// Ends it, and wakes who waits for it. Nobody's part is changed.
  func end() {
    phase = .over
    clear()
    wakeWaiters()
  }

  // MARK: Changes

  /// - Parameters:
  ///   - channel: Of the change's message.
  ///   - number: Of that, among all that were taken of the channel.
  func take(_ change: LiveChange, _ frame: [UInt8], of channel: Channel, number: Int, limits: LogLimits) {
    switch phase {
    case .reading:
      if number > after[channel, default: 0] { record(change, frame, limits) }
    case .filtering:
      if includes.map({ $0(change) }) ?? (number <= after[channel, default: 0]) { return }
      phase = .settled
      record(change, frame, limits)
    case .settled: record(change, frame, limits)
    case .waiting, .over: break
    }
  }

  private func record(_ change: LiveChange, _ frame: [UInt8], _ limits: LogLimits) {
    // One is taken however large it is.
    if !recorded.isEmpty,
      recorded.count >= limits.maximumMessages || recordedBytes + frame.count > limits.maximumBytes
    {
      hasOverflown = true
    }
    if hasOverflown { return clear() }
    recorded.append((change, frame))
    recordedBytes += frame.count
  }

  /// Whether the recorded changes, which still have to be sent, say that it is gone.
  var endsWithDeletion: Bool { recorded.last?.change.isDeletion ?? false }

  private func clear() { (recorded, recordedBytes) = ([], 0) }

  /// What is recorded, as batches of frames. It is not recorded any more then.
  func takeFrames() -> [[UInt8]] {
    var batches: [[UInt8]] = []
    for (_, frame) in recorded {
      if let last = batches.last, last.count + frame.count <= FrameBatch.maximumBytes {
        batches[batches.count - 1].append(contentsOf: frame)
      } else {
        batches.append(frame)
      }
    }
    clear()
    return batches
  }

  // MARK: Who gets it

  func add(_ member: Member) {
    member.live?.read = self
    member.live?.indexInRead = members.count
    members.append(member)
  }

  /// - Returns: whether it was woken to read, and somebody else has to be.
  @discardableResult
  func remove(_ member: Member) -> Bool {
    guard let live = member.live, live.read === self else { return false }
    live.read = nil
    // The last one goes into its place: there may be thousands.
    let last = members.removeLast()
    if last !== member {
      members[live.indexInRead] = last
      last.live?.indexInRead = live.indexInRead
    }
    guard woken === member else { return false }
    (isRunnerWoken, woken) = (false, nil)
    return true
  }

  /// All who get it, who have no part in it any more.
  func takeMembers() -> [Member] {
    defer { members = [] }
    for member in members { member.live?.read = nil }
    return members
  }

  /// Returns when it is over or has a state, or somebody has to read it.
  func wait() async {
    await withUnsafeContinuation { continuation in
      if isPending, !wantsRunner { waiters.append(continuation) } else { continuation.resume() }
    }
  }

  func wakeWaiters() {
    for waiter in waiters { waiter.resume() }
    waiters = []
  }

  /// Wakes one who can read it, unless somebody was woken already.
  func wakeRunner(among candidates: some Sequence<Member>) {
    guard wantsRunner, !isRunnerWoken else { return }
    if let member = candidates.first(where: { $0.sleeper != nil }) {
      (isRunnerWoken, woken) = (true, member)
      member.sleeper.take()?.resume()
    } else if !waiters.isEmpty {
      isRunnerWoken = true
      waiters.removeFirst().resume()
    }
  }
}
