//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What events have in common.
extension HistorySync {
  /// Where all of these come one behind the other: the position of the last.
  func endOfRun(_ deliveries: [Delivery]) -> MessagePosition? {
    guard var end = last else { return nil }
    for delivery in deliveries {
      guard case .message(let message) = delivery, let position = message.position, follows(position, end) else {
        return nil
      }
      end = position
    }
    return end
  }

  /// The first message of a channel has the offset 1, in whichever epoch. One of an epoch that is known may be what was read
  /// already, before the log went.
  private func follows(_ position: MessagePosition, _ end: MessagePosition) -> Bool {
    position == end.next || (end == .beginning && position.offset == 1 && position.epoch > newestEpoch)
  }

  /// Hands on what comes behind the last position, and holds back all from the first that doesn't.
  ///
  /// - Parameter covered: How many of them came before the history was asked.
  mutating func advance(over arrivals: [Arrival], covered: Int = 0, _ step: inout Step) {
    for (index, arrival) in arrivals.enumerated() {
      guard mode == .live, let end = last else {
        hold(arrival)
        continue
      }
      guard let position = arrival.position else {
        step.deliveries.append(arrival.delivery)
        if arrival.isPlain { countPlain(&step) }
        continue
      }
      if follows(position, end) {
        step.deliveries.append(arrival.delivery)
        last = position
      } else if position.epoch == end.epoch, position.offset <= end.offset {
        continue
      } else if position.offset == 1, position.epoch > newestEpoch {
        // The log has begun anew while we listened, so nothing is missing.
        step.deliveries.append(arrival.delivery)
        last = position
      } else if position.epoch != end.epoch, index < covered {
        // Of a log that is over, and kept no more: the history has given what there is.
        if !hasToldRestart { step.deliveries.append(gap(.historyRestarted)) }
        hasToldRestart = true
      } else {
        mode = .filling
        hold(arrival)
      }
    }
  }

  /// What a page says comes next. Where the limits took messages before they were read, those that have arrived are given from
  /// what is held back.
  func joined(_ page: HistoryPage, after before: MessagePosition) -> HistoryMerge {
    func merged(_ messages: [Message]) -> HistoryMerge {
      var merge = HistoryMerge(channel, after: before)
      merge.add(messages)
      if page.reachesHead { merge.reach(page.head) }
      return merge
    }
    let plain = merged(page.messages)
    guard !plain.isComplete, let end = plain.end else { return plain }
    let had = Set(page.messages.map(\.position))
    let arrived = held.compactMap { arrival -> Message? in
      guard case .message(let message) = arrival.delivery, let position = message.position, position.epoch == end.epoch,
        position.offset <= end.offset, before.isBefore(position), !had.contains(position)
      else { return nil }
      return message
    }
    if arrived.isEmpty { return plain }
    // Those of the epoch in which the page ends: what it has of others stands in front.
    let others = page.messages.prefix { $0.position?.epoch != end.epoch }
    let same = page.messages[others.endIndex...] + arrived
    return merged(others + same.sorted { ($0.position?.offset ?? 0) < ($1.position?.offset ?? 0) })
  }

  /// The hole stays. What is at hand is handed on.
  mutating func giveUp(_ step: inout Step) {
    step.deliveries.append(gap(.connectionLost))
    if let head { last = newer(head) }
    mode = .live
    for arrival in takeHeld() {
      if let position = arrival.position, let end = last {
        if position.epoch == end.epoch, position.offset <= end.offset { continue }
        if !follows(position, end), !isGap(step.deliveries.last) { step.deliveries.append(gap(.connectionLost)) }
        // Of a log that was over before this one began.
        if position.epoch < newestEpoch || position.epoch == newestEpoch && end.epoch != newestEpoch { continue }
        last = position
      } else if arrival.isPlain {
        countPlain(&step)
      }
      step.deliveries.append(arrival.delivery)
    }
    endFilling(&step)
  }

  /// Where the log stands as far as it is known: a head of another epoch is news.
  private func newer(_ head: MessagePosition) -> MessagePosition {
    guard let last, last.epoch == head.epoch, last.offset > head.offset else { return head }
    return last
  }

  mutating func endFilling(_ step: inout Step) {
    if filled > 0 { step.filled = filled }
    (filled, pages, failures, covered) = (0, 0, 0, 0)
    hasToldRestart = false
    hasDropped = false
    head = nil
  }

  mutating func hold(_ arrival: Arrival) {
    held.append(arrival)
    heldBytes += arrival.delivery.bufferedBytes
    guard held.count > Self.maximumHeldMessages || heldBytes > Self.maximumHeldBytes else { return }
    let plain = takeHeld().lazy.filter { $0.position == nil }.map { arrival in
      if case .gap(let gap) = arrival.delivery { gap.missed ?? 1 } else { 1 }
    }.reduce(0, +)
    hasDropped = true
    covered = 0
    if plain > 0 {
      hasHeardPlain = true
      hold(Arrival(.gap(Gap(channel: channel, missed: plain, reason: .connectionLost))))
    }
  }

  mutating func takeHeld() -> [Arrival] {
    defer { (held, heldBytes) = ([], 0) }
    return held
  }

  mutating func countPlain(_ step: inout Step) {
    hasHeardPlain = true
    step.unrecorded += 1
  }

  func gap(_ reason: Gap.Reason) -> Delivery { .gap(Gap(channel: channel, missed: nil, reason: reason)) }

  private func isGap(_ delivery: Delivery?) -> Bool { if case .gap = delivery { true } else { false } }

  func isRestart(_ delivery: Delivery) -> Bool {
    if case .gap(let gap) = delivery { gap.reason == .historyRestarted } else { false }
  }
}
