//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Gathers the events of channels that are lost and renewed one by one: one of each kind a second, however many channels
/// there are.
///
/// The first goes at once. Those that follow within the second become one, with their number and all else of the last. It
/// goes before the first of another kind, so that the order in which things happened is that in which they are told.
/// A machine that does nothing itself.
struct RenewalNews: Sendable {
  static var interval: Duration { .seconds(1) }

  /// What was told in this interval.
  private var told: Set<BroadcastEvent.Kind> = []
  /// One of each kind, in the order of the last that each stands for.
  private var held: [BroadcastEvent] = []

  /// Returns what is to be told now, and whether an interval begins with it, after which `endInterval` has to be called.
  mutating func admit(_ event: BroadcastEvent) -> (events: [BroadcastEvent], beginsInterval: Bool) {
    let beginsInterval = told.isEmpty
    if told.insert(event.kind).inserted { return (takeHeld() + [event], beginsInterval) }
    var gathered = event
    gathered.count = event.count ?? 1
    if let index = held.firstIndex(where: { $0.kind == event.kind }) {
      gathered.count = (gathered.count ?? 0) + (held.remove(at: index).count ?? 0)
    }
    held.append(gathered)
    return ([], false)
  }

  /// Returns what was held back. If there is something another interval begins.
  mutating func endInterval() -> [BroadcastEvent] {
    told = Set(held.map(\.kind))
    return takeHeld()
  }

  /// Returns what was held back, where something is told that has to come after it. The interval goes on.
  mutating func takeHeld() -> [BroadcastEvent] {
    defer { held = [] }
    return held
  }
}
