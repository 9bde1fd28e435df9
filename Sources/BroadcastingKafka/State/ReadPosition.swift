//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where one partition is read, and whether that is certain.
struct ReadPosition {
  enum Verdict: Equatable {
    case deliver
    /// Not wanted, or not wanted any more.
    case old
    /// The record is to be compared: ``ReadPosition/checked(_:)``.
    case checks
    /// The record to be compared is not there, and this one is behind it: nobody knows what is missing in between. Ask once more for
    /// this one after that has been told.
    case jumps
  }

  /// What the end of what there is means.
  enum End: Equatable {
    case fine
    /// It lies before what had been there. Stop it, and start it anew.
    case shorter
    /// It lies behind the record to be compared, which is not there.
    case jumps
  }

  enum Verification: Equatable {
    case fine
    /// Stop it, and start it where ``ReadPosition/restart()`` says: there is a record to be compared.
    case recheck
    /// Records are missing: so many, or nobody knows. Stop it, and start it anew.
    case moved(missed: Int?)
    /// What comes next can't be read. Stop it, and start it anew behind that.
    case skipped
    /// Nothing is missing. Stop it, and start it anew.
    case resume
    /// This answer is older than the suspicion, or nothing hangs on it.
    case outdated
  }

  /// The place from before something happened.
  private struct Suspicion {
    let next: Int64
    let last: Fingerprint?
    var era: UInt64
  }

  private struct Check {
    let expected: Fingerprint
    /// Where to go on if it is another log.
    let end: Int64
  }

  /// The offset of what comes next.
  private(set) var next: Int64
  /// The least position for which somebody waits.
  var wanted = Int64.max
  /// The last record that was handed on.
  private var last: Fingerprint?
  /// What comes is thrown away until it is started anew.
  private var isResting = false
  /// While nobody knows whether it is the same log nothing is handed on, so that a gap comes in front of what is behind it. What
  /// comes meanwhile is thrown away, and read once more: to keep it would take memory without end.
  private let holds: Bool
  /// Something was thrown away that is to be read once more.
  private var hasHeldBack = false
  /// It has been held back for long enough, until its place is known.
  private var isReleased = false
  /// Told to stop, so as to be started anew.
  private var isRestarting = false
  private var suspicion: Suspicion?
  private var check: Check?
  /// It has been started where the record to be compared has to be.
  private var isChecking = false
  /// How often what comes next could not be read, one time after the other.
  private var troubles = 0
  private var isUnreadable = false

  /// One that nobody reads.
  private var isUnread = false

  /// - Parameter holds: False: what comes of a log that may be another is handed on all the same.
  init(next: Int64, holds: Bool = true) {
    self.next = next
    self.holds = holds
  }

  static var unread: ReadPosition {
    var position = ReadPosition(next: 0, holds: false)
    (position.isUnread, position.isResting) = (true, true)
    return position
  }

  var isWanted: Bool { next >= wanted }
  var isSuspect: Bool { suspicion != nil }
  /// Whether it is on its way to a place, or has to be compared there.
  var isUnsettled: Bool { check != nil || isRestarting }
  /// Whether what comes has to wait until it is known to follow what was there.
  var isHeldUp: Bool { holds && !isReleased && (isSuspect || isUnsettled) }
  /// What a question about it is to be asked with.
  var suspectedNext: Int64 { suspicion?.next ?? next }

  // MARK: What comes

  mutating func message(_ offset: Int64) -> Verdict {
    if isResting { return .old }
    if isHolding {
      hasHeldBack = true
      return .old
    }
    if isChecking, let check {
      if offset < check.expected.offset { return .old }
      if offset == check.expected.offset { return .checks }
      jump()
      return .jumps
    }
    if offset < next { return .old }
    next = offset + 1
    troubles = 0
    return .deliver
  }

  /// All before the offset has been read.
  mutating func ended(_ offset: Int64) -> End {
    if isResting { return .fine }
    if isHolding {
      // It is told once only.
      hasHeldBack = true
      return .fine
    }
    if isChecking, let check {
      if offset <= check.expected.offset {
        moveToEnd(of: check)
        return .shorter
      }
      jump()
      next = max(next, offset)
      return .jumps
    }
    next = max(next, offset)
    return .fine
  }

  /// What comes before it has stopped is read once more, also where nobody waits for its place any more: some of what was in front
  /// of that may have been thrown away.
  private var isHolding: Bool { holds && (isRestarting || isSuspect && !isReleased) }

  /// It was compacted, or it is another log that has none there: nobody can tell.
  private mutating func jump() {
    endCheck()
    last = nil
  }

  mutating func note(_ fingerprint: Fingerprint) { last = fingerprint }

  // MARK: Verification

  /// The library can't go on here.
  mutating func rest() {
    isResting = true
    isChecking = false
  }

  /// What comes next could not be read. Returns how often that was so by now, 0 where it is no news.
  ///
  /// - Parameter isLasting: It will be so whenever it is asked for: after the second time it is left out.
  mutating func trouble(isLasting: Bool) -> Int {
    if isResting || isRestarting { return 0 }
    troubles += 1
    isUnreadable = isLasting && troubles > 1
    rest()
    return troubles
  }

  /// What was known before an earlier suspicion is kept, as that is not settled.
  mutating func suspect(_ era: UInt64) {
    if isUnread { return }
    if suspicion == nil { suspicion = Suspicion(next: next, last: check?.expected ?? last, era: era) }
    suspicion?.era = era
  }

  mutating func verify(_ bounds: Range<Int64>, _ era: UInt64) -> Verification {
    guard let suspicion, suspicion.era <= era, !isRestarting else { return .outdated }
    self.suspicion = nil
    if suspicion.next > bounds.upperBound {
      // What has been read since is of the new log, and is not read again.
      move(to: next > suspicion.next ? max(bounds.upperBound, next) : bounds.upperBound)
      return .moved(missed: nil)
    }
    // A partition that was read on meanwhile has not been overtaken.
    if next < bounds.lowerBound {
      let missed = Int(bounds.lowerBound - next)
      move(to: bounds.lowerBound)
      return .moved(missed: missed)
    }
    if isUnreadable {
      move(to: max(bounds.upperBound, next))
      return .skipped
    }
    if let last = suspicion.last, last.offset >= bounds.lowerBound {
      check = Check(expected: last, end: bounds.upperBound)
      isChecking = false
      isRestarting = true
      return .recheck
    }
    endCheck()
    guard isResting || hasHeldBack else { return .fine }
    isRestarting = true
    return .resume
  }

  /// It has stopped. Returns where to start it.
  mutating func restart() -> Int64? {
    guard isRestarting else { return nil }
    isRestarting = false
    isResting = false
    hasHeldBack = false
    isChecking = check != nil
    return check?.expected.offset ?? next
  }

  /// Its place can't be asked for: what comes is handed on from now on, until that can be done. Returns whether to stop it, and to
  /// start it anew.
  mutating func release() -> Bool {
    guard isHeldUp else { return false }
    isReleased = true
    guard hasHeldBack, !isRestarting, !isResting else { return false }
    rest()
    isRestarting = true
    return true
  }

  /// What was found in place of the record to be compared. Returns whether it is the same log.
  mutating func checked(_ found: Fingerprint) -> Bool {
    guard let check else { return true }
    if check.expected == found {
      endCheck()
      return true
    }
    moveToEnd(of: check)
    return false
  }

  private mutating func endCheck() {
    check = nil
    isChecking = false
    if !isSuspect { isReleased = false }
  }

  /// What was read meanwhile of the new log is not read again.
  private mutating func moveToEnd(of check: Check) { move(to: max(check.end, next)) }

  private mutating func move(to offset: Int64) {
    rest()
    check = nil
    last = nil
    next = offset
    (troubles, isUnreadable, isReleased) = (0, false, false)
    isRestarting = true
  }
}
