//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

extension ListeningSide {
  /// Who waits until it is known that all goes on where it was.
  struct Verifications {
    /// Wait for a look that begins after they came.
    var asked: [(era: UInt64, done: (Bool) -> Void)] = []
    /// Wait for partitions to be compared, until the deadline.
    var comparing: [(Bool) -> Void] = []
    var deadline: LoopInstant?
    var isLooking = false
    var looksAgain = false
    /// When to look next after a hint.
    var hintDue: LoopInstant?
    /// Whether it was about any topic.
    var isHintForAll = false
    var lastHint: LoopInstant?
    /// When to ask again for partitions whose place could not be told.
    var repeatDue: LoopInstant?
    /// When the loop was last here, which it is each second.
    var lastTurn: LoopInstant?
    /// Until when topics are held back whose place is not known.
    var holdEnd: LoopInstant?
    /// Nothing is expected of the lines, and that has been told.
    var isSuspended = false

    var nextDeadline: LoopInstant? { [deadline, hintDue, repeatDue, holdEnd].compactMap { $0 }.min() }
  }

  /// A topic that is gone is told of each second.
  private static var pauseOfHints: Duration { .seconds(1) }
  private static var timeToCompare: Duration { .seconds(2) }
  /// A program that stood still for so long may have missed that a topic was made anew.
  private static var standstill: Duration { .seconds(3) }

  /// For so long nothing of a topic is handed on whose place can't be asked for, while nobody is told of anything. After that its gap,
  /// if there is one, comes where it is found.
  private static var longestHold: Duration { .seconds(3) }

  /// The library's error callback, which comes within a read: some topic may have come to harm.
  func hint() {
    verifications.isHintForAll = true
    lookSoon()
  }

  /// At once, or a second after the last time.
  func lookSoon() {
    if isClosed || verifications.hintDue != nil { return }
    let now = loop.now
    let due = verifications.lastHint.map { max(now, $0 + Self.pauseOfHints) } ?? now
    verifications.hintDue = due
    if due <= now { loop.inNextTurn { [weak self] in self?.lookIfDue(now: now) } }
  }

  /// To be called before anything is read.
  func noteTime() {
    let now = loop.now
    let hasStoodStill = verifications.lastTurn.map { now - $0 > Self.standstill } ?? false
    verifications.lastTurn = now
    guard hasStoodStill else { return }
    table.suspectAll()
    look()
  }

  func lookIfDue(now: LoopInstant) {
    if isClosed { return }
    noteTime()
    if let deadline = verifications.deadline, deadline <= now { endComparing() }
    if let end = verifications.holdEnd, end <= now { endHold() }
    if let due = verifications.hintDue, due <= now {
      verifications.hintDue = nil
      verifications.lastHint = now
      if verifications.isHintForAll { table.suspectAll() }
      verifications.isHintForAll = false
      return look()
    }
    if let due = verifications.repeatDue, due <= now { look() }
  }

  /// What the cluster is called. Where it was heard of before anything is read, another one is known from the first line on.
  func noteCluster(_ id: String?) { _ = watch.isOther(id) }

  /// Looks at the topics: new partitions are read, and vanished topics told. For each 5 s.
  func refresh() { look() }

  /// A line has broken, or may have. What comes from now on may be of another log: what is known now counts, and nothing is
  /// handed on before a look.
  func suspect() {
    table.suspectAll()
    // As soon as there is a line again it is verified anyway.
    if verifications.isSuspended { return }
    limitHold()
    lookSoon()
  }

  /// All subscribers are told that nothing comes.
  func suspend() {
    verifications.isSuspended = true
    verifications.holdEnd = nil
    // So that another cluster is known soon, whose topics and probes may be none of this one's.
    verifications.repeatDue = verifications.repeatDue ?? loop.now + Self.pauseOfHints
  }

  /// And that it goes on.
  func resume() {
    verifications.isSuspended = false
    limitHold()
  }

  private func limitHold() {
    guard !verifications.isSuspended, table.isHoldingUp else { return verifications.holdEnd = nil }
    if verifications.holdEnd == nil { verifications.holdEnd = loop.now + Self.longestHold }
  }

  private func endHold() {
    verifications.holdEnd = nil
    restart(table.release().map { PartitionPlace(slot: $0.slot, partition: Int32(clamping: $0.partition)) })
  }

  /// Checks that all goes on where it was, and tells of gaps where it does not. Calls back with false where nobody answered.
  func verify(_ done: @escaping (Bool) -> Void) {
    if isClosed { return }
    table.suspectAll()
    verifications.asked.append((table.suspects().era, done))
    look()
  }

  func look() {
    if isClosed { return }
    limitHold()
    guard !verifications.isLooking else {
      verifications.looksAgain = true
      return
    }
    verifications.isLooking = true
    verifications.repeatDue = nil
    let (positions, era) = table.suspects()
    let asksForCluster = verifications.isSuspended || !positions.isEmpty
    let look = TopicLook(
      positions: positions, anyTopic: asksForCluster ? table.reading.first.map { table.name(of: $0) } : nil)
    watching.run { [inquiries = inquiries()] in
      look.look(inquiries)
    } then: { [weak self] seen in
      self?.looked(seen, era)
    }
  }

  private func looked(_ seen: TopicLook.Seen, _ era: UInt64) {
    if isClosed { return }
    verifications.isLooking = false
    if watch.isOther(seen.clusterID) { return session.clusterChanged() }
    let hasAnswer = watchTopics(seen.topics) && verifyPlaces(seen.bounds, era)
    resumeReached()
    answer(hasAnswer, era)
    limitHold()
    if verifications.looksAgain {
      verifications.looksAgain = false
      look()
    } else if table.hasSuspects || verifications.isSuspended {
      // Nobody has answered, or a partition has no leader.
      verifications.repeatDue = loop.now + Self.pauseOfHints
    }
  }

  /// Returns whether there was an answer.
  private func watchTopics(_ answer: Result<[String: Result<Int, KafkaFailure>], KafkaFailure>) -> Bool {
    guard case .success(let answers) = answer else { return false }
    for slot in table.reading {
      let name = table.name(of: slot)
      guard let answer = answers[name] else { continue }
      if case .probe = topics[slot].role { continue }
      switch watch.seen(slot, answer, known: table.partitions(of: slot), now: loop.now) {
      case .missing: verifications.repeatDue = loop.now + TopicWatch.patience
      case .vanished: lost(slot, because: KafkaError.vanished(name))
      case .refused(let failure): lost(slot, because: KafkaError.subscribing(failure, topic: name))
      case .newPartitions(let partitions):
        do throws(KafkaFailure) { try readNew(slot, upTo: partitions.upperBound) } catch {
          lost(slot, because: KafkaError.subscribing(error, topic: name))
        }
      case nil: break
      }
    }
    return true
  }

  /// Returns whether at least one of the topics asked for was answered.
  private func verifyPlaces(_ bounds: [String: Result<[Range<Int64>], KafkaFailure>], _ era: UInt64) -> Bool {
    var restarts: [PartitionPlace] = []
    var hasAnswer = bounds.isEmpty
    for (name, answer) in bounds {
      guard case .success(let bounds) = answer, let slot = table.knownSlot(of: name) else { continue }
      hasAnswer = true
      for (partition, bounds) in bounds.enumerated() {
        let place = PartitionPlace(slot: slot, partition: Int32(clamping: partition))
        switch table.verify(slot, partition, bounds, era: era) {
        case .fine, .outdated: break
        case .recheck, .resume: restarts.append(place)
        case .moved(let missed):
          tellGap(missed, slot, because: missed == nil ? KafkaError.replaced(name) : KafkaError.expired(name))
          restarts.append(place)
        case .skipped:
          // The reason has been told.
          tellGap(nil, slot, because: nil)
          restarts.append(place)
        }
      }
    }
    restart(restarts)
    return hasAnswer
  }

  // MARK: Who waits

  private func answer(_ hasAnswer: Bool, _ era: UInt64) {
    let due = verifications.asked.filter { $0.era <= era }.map(\.done)
    verifications.asked.removeAll { $0.era <= era }
    guard hasAnswer else {
      for done in due { done(false) }
      return
    }
    guard !due.isEmpty else { return }
    verifications.comparing += due
    verifications.deadline = loop.now + Self.timeToCompare
    verificationsMayEnd()
  }

  /// Some partitions may have been compared.
  func verificationsMayEnd() {
    if !verifications.comparing.isEmpty, !table.isChecking { endComparing() }
    if verifications.holdEnd != nil { limitHold() }
  }

  /// What is compared later is told later.
  private func endComparing() {
    let due = verifications.comparing
    verifications.comparing = []
    verifications.deadline = nil
    for done in due { done(true) }
  }
}
