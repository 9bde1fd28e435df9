//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Joins what arrives from a broker to what its history says: every message once, in order, and a gap where some are gone.
///
/// It knows up to which position all has been handed on. Whatever shows that something lies between that and what comes next
/// (the head after a lost connection, a jump of the positions) is the same case: what arrives is held back, the history is
/// asked for what lies behind the last position, and then the two are joined. A machine that does nothing itself.
struct HistorySync: Sendable {
  enum Mode: Sendable {
    /// There is no subscription at the broker.
    case closed
    /// The broker is asked for one. What arrives is held back until it is known where the channel stands.
    case opening
    case live
    /// The history is asked for what is missing.
    case filling
    /// The channel has no history at this broker.
    case off
  }

  /// What arrived: a message, or the news of some that did not.
  struct Arrival: Sendable {
    var delivery: Delivery
    var position: MessagePosition?

    init(_ delivery: Delivery) {
      self.delivery = delivery
      if case .message(let message) = delivery { position = message.position }
    }

    /// A message that was left out.
    init(missed position: MessagePosition, on channel: Channel) {
      delivery = .gap(Gap(channel: channel, missed: 1, reason: .brokerLoss))
      self.position = position
    }

    var isPlain: Bool { if case .message = delivery { position == nil } else { false } }
  }

  struct Step: Sendable {
    var deliveries: [Delivery] = []
    /// Messages without a position among what arrived.
    var unrecorded = 0
    /// How many messages were read from the history, with the last of them.
    var filled: Int?
  }

  /// How much is held back at most. Beyond that it is dropped, and read from the history.
  static let maximumHeldMessages = 8_192
  static let maximumHeldBytes = 4 * 1_024 * 1_024

  let channel: Channel
  /// How many pages are read at most until what arrives is reached.
  let maximumPages: Int
  var mode = Mode.closed
  /// All up to it has been handed on, or a gap for it. Nil as long as it is not known where the channel stands.
  var last: MessagePosition? {
    didSet { newestEpoch = max(newestEpoch, last?.epoch ?? 0) }
  }
  var newestEpoch: UInt64 = 0
  var heldBytes = 0
  var held: [Arrival] = []
  /// How many of them had come when the history was asked: its answer holds all that is kept of them.
  var covered = 0
  /// Some that came since the history was asked were dropped.
  var hasDropped = false
  /// Messages have come without a position: more of them may have been published while nobody listened.
  var hasHeardPlain = false
  /// Where the channel stood when it was opened.
  var head: MessagePosition?
  var filled = 0
  var pages = 0
  var failures = 0
  var hasToldRestart = false

  init(_ channel: Channel, maximumPages: Int = 64) {
    self.channel = channel
    self.maximumPages = maximumPages
  }

  // MARK: The subscription

  /// The broker is about to be asked for the subscription.
  mutating func begin() {
    if mode == .closed { mode = .opening }
  }

  /// The subscription stands, and all behind `head` arrives. Nil: the channel has no history.
  mutating func opened(_ head: MessagePosition?, _ reason: Gap.Reason = .connectionLost) -> Step {
    guard mode == .opening else { return Step() }
    var step = Step()
    let known = last
    guard let head else {
      if known != nil { step.deliveries.append(gap(reason)) }
      for arrival in takeHeld() { step.deliveries.append(arrival.delivery) }
      self = HistorySync(channel, maximumPages: maximumPages)
      mode = .off
      return step
    }
    if known != nil, hasHeardPlain { step.deliveries.append(gap(reason)) }
    self.head = head
    last = known ?? head
    if last == head, !hasDropped {
      mode = .live
      advance(over: takeHeld(), &step)
    } else {
      mode = .filling
    }
    return step
  }

  /// The subscription is no more. What was held back is in the history, but for what has no position.
  mutating func lost() -> Step {
    var step = Step()
    for arrival in takeHeld() where arrival.position == nil {
      step.deliveries.append(arrival.delivery)
      if arrival.isPlain { countPlain(&step) }
    }
    mode = .closed
    endFilling(&step)
    return step
  }

  // MARK: What arrives

  mutating func arrived(_ deliveries: [Delivery]) -> Step {
    switch mode {
    case .off: return Step(deliveries: deliveries)
    case .live:
      if let end = endOfRun(deliveries) {
        last = end
        return Step(deliveries: deliveries)
      }
      var step = Step()
      advance(over: deliveries.map { Arrival($0) }, &step)
      return step
    case .opening, .filling:
      for delivery in deliveries { hold(Arrival(delivery)) }
      return Step()
    case .closed:
      // Strays. Those with a position will be read.
      var step = Step()
      guard last != nil else { return step }
      for delivery in deliveries {
        let arrival = Arrival(delivery)
        guard arrival.position == nil else { continue }
        step.deliveries.append(delivery)
        if arrival.isPlain { countPlain(&step) }
      }
      return step
    }
  }

  /// A message was left out.
  mutating func missed(at position: MessagePosition) -> Step {
    let arrival = Arrival(missed: position, on: channel)
    var step = Step()
    switch mode {
    case .off: step.deliveries = [arrival.delivery]
    case .live: advance(over: [arrival], &step)
    case .opening, .filling: hold(arrival)
    case .closed: break
    }
    return step
  }

  // MARK: What is read

  /// What the history has to be asked for now. One question is under way at a time.
  mutating func takeQuery() -> HistoryQuery? {
    guard mode == .filling, let last else { return nil }
    covered = held.count
    hasDropped = false
    return HistoryQuery(.after(last))
  }

  mutating func read(_ page: HistoryPage) -> Step {
    guard mode == .filling, let before = last else { return Step() }
    guard page.reachesHead || !page.messages.isEmpty else { return failed() }
    failures = 0
    pages += 1
    var step = Step()
    let merge = joined(page, after: before)
    step.deliveries = merge.deliveries
    if !merge.isComplete { hasToldRestart = hasToldRestart || step.deliveries.contains { isRestart($0) } }
    last = merge.end
    head = page.head
    filled += page.messages.count
    if page.reachesHead, !hasDropped {
      mode = .live
      let covered = covered
      advance(over: takeHeld(), covered: covered, &step)
    }
    if mode == .live {
      endFilling(&step)
    } else if pages >= maximumPages {
      giveUp(&step)
    }
    return step
  }

  /// The history could not be asked. It is asked once more; then there is a gap.
  mutating func failed() -> Step {
    var step = Step()
    guard mode == .filling else { return step }
    failures += 1
    if failures > 1 { giveUp(&step) }
    return step
  }
}
