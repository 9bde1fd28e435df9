//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Keeps the model of a watched channel the same as the broker's, over news that come one by one and snapshots wherever some
/// may be missing.
///
/// A broker that has lost its members is filled again by all programs within seconds. Until then those who are not back yet
/// are not taken for gone: watchers see who comes and goes, and at the end the truth.
struct PresenceSync: Sendable {
  enum Outcome: Sendable, Equatable {
    case nothing
    /// There is a first state.
    case first
    case update(PresenceUpdate)
    /// Watchers begin anew.
    case anew
  }

  /// The most news that wait for a snapshot.
  static let maximumHeld = 4_096
  /// For so long the broker may be filled again: 5 s.
  static let fillingTicks = 20

  private(set) var isWatched = false
  private(set) var needsSnapshot = true
  private(set) var hasModel = false
  private var model = PresenceModel()
  private var position = MessagePosition.beginning
  private var held: [PresenceNews] = []
  /// What the watchers know while the broker is being filled again.
  private var told: PresenceModel?
  private var ticks = 0
  /// Where the broker stood at its last answer, when that was further than the model.
  private var awaited: UInt64?

  /// Whether it is as good as the broker's answer, which stood there.
  func hasReached(_ broker: MessagePosition) -> Bool {
    isWatched && hasModel && !needsSnapshot && told == nil && broker.epoch == position.epoch
      && broker.offset <= position.offset
  }
  var isFilling: Bool { told != nil }
  /// What its members take.
  var bytes: Int { max(model.bytes, told?.bytes ?? 0) }

  /// What watchers know when they have read all.
  mutating func members() -> [PresenceMember] { told?.members() ?? model.members() }

  mutating func watched() { isWatched = true }

  mutating func lost() {
    isWatched = false
    needsSnapshot = true
    held = []
    awaited = nil
  }

  // MARK: News

  mutating func heard(_ news: PresenceNews) -> Outcome {
    guard isWatched else { return .nothing }
    if needsSnapshot {
      hold(news)
      return .nothing
    }
    let isNext =
      position == .beginning
      ? news.position.offset == 1 : news.position == position.next
    guard isNext else {
      // Old ones are in the snapshot. Epochs grow, but for a clock that was set back, which the next check finds.
      if news.position.epoch < position.epoch { return .nothing }
      if news.position.epoch == position.epoch, news.position.offset <= position.offset { return .nothing }
      needsSnapshot = true
      hold(news)
      return .nothing
    }
    position = news.position
    let update = model.apply(news.update)
    guard told != nil else { return update.map { .update($0) } ?? .nothing }
    return told?.apply(news.update).map { .update($0) } ?? .nothing
  }

  private mutating func hold(_ news: PresenceNews) {
    // What is left out is found missing after the snapshot, and asked for by another one.
    if held.count < Self.maximumHeld { held.append(news) }
  }

  // MARK: Snapshots

  /// A snapshot is asked for: it has all that has been heard so far.
  mutating func askForSnapshot() { held = [] }

  mutating func snapshot(_ snapshot: PresenceSnapshot) -> Outcome {
    let known = told ?? (hasModel ? model : nil)
    let isSameLog =
      told == nil && snapshot.position.epoch == position.epoch && snapshot.position.offset >= position.offset
    model = PresenceModel(snapshot.members)
    position = snapshot.position
    (needsSnapshot, hasModel, told, awaited) = (false, true, nil, nil)
    let news = held
    held = []
    // Some may be missing between them again. Then the rest waits.
    for news in news { _ = heard(news) }
    guard let known else { return .first }
    if known.isSame(as: model) { return .nothing }
    if isSameLog { return .anew }
    let both = known.merging(model)
    told = both
    return both.isSame(as: known) ? .nothing : .anew
  }

  /// The broker has said where it stands.
  mutating func checked(_ broker: MessagePosition) {
    guard isWatched, !needsSnapshot else { return }
    if broker.epoch != position.epoch {
      needsSnapshot = true
    } else if broker.offset > position.offset {
      // News are on their way. If those of the last time still have not come, they never will.
      if let awaited, awaited > position.offset { needsSnapshot = true }
      awaited = broker.offset
    } else {
      awaited = nil
    }
  }

  /// Four times a second.
  mutating func tick() -> Outcome {
    guard let told, !needsSnapshot else { return .nothing }
    ticks += 1
    let isSame = told.count == model.count && told.isSame(as: model)
    guard isSame || ticks >= Self.fillingTicks else { return .nothing }
    self.told = nil
    ticks = 0
    return isSame ? .nothing : .anew
  }
}
