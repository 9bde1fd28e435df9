//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The watchers of one channel, and what they have not read yet.
///
/// Updates lie in one log with a place for each watcher. Whoever is too far behind, or has to begin anew, gets all members
/// in place of what it has not read.
struct PresenceAudience: Sendable {
  typealias Sleeper = UnsafeContinuation<Void, Never>

  enum Reading: Sendable {
    case updates([PresenceUpdate], Range<Int>)
    /// All who are present now.
    case present
    case nothing
  }

  private struct Watcher: Sendable {
    var cursor: LogCursor
    /// Which beginning its place comes after. Nil before there is a first state.
    var generation: Int?
    /// The first state, until it is read.
    var first: [PresenceMember]?
    // Resumed once: it stays here until somebody takes it out.
    var sleeper: Sleeper?
  }

  static let limits = LogLimits(maximumMessages: 1_024, maximumBytes: 256 * 1_024)

  private var log = SegmentLog<PresenceUpdate>()
  private var watchers: [Int: Watcher] = [:]
  /// Who may be asleep, and some who are no more.
  private var asleep: [Int] = []
  private var generation = 0
  private var age = 0

  var isEmpty: Bool { watchers.isEmpty }
  var count: Int { watchers.count }
  var heldBytes: Int { log.heldBytes }
  /// How many places the list of sleepers has in use.
  var sleepers: Int { asleep.count }

  mutating func add(_ watcher: Int) { watchers[watcher] = Watcher(cursor: log.makeCursor()) }

  /// Those who have had none yet begin with this state.
  mutating func begin(_ watchers: some Sequence<Int>, with members: [PresenceMember]) {
    for id in watchers {
      guard let watcher = self.watchers[id] else { continue }
      log.remove(watcher.cursor)
      self.watchers[id] = Watcher(
        cursor: log.makeCursor(), generation: generation, first: members, sleeper: watcher.sleeper)
    }
  }

  /// Takes a watcher out. Returns its sleeper.
  mutating func remove(_ watcher: Int) -> Sleeper? {
    guard let removed = watchers.removeValue(forKey: watcher) else { return nil }
    log.remove(removed.cursor)
    return removed.sleeper
  }

  /// Adds an update. Returns whom to wake.
  mutating func tell(_ update: PresenceUpdate) -> [Sleeper] {
    guard !watchers.isEmpty else { return [] }
    age += 1
    log.append(update, age: age)
    log.trim(to: Self.limits)
    return wake()
  }

  /// Has all watchers begin anew with all who are present. Returns whom to wake.
  mutating func tellAnew() -> [Sleeper] {
    generation += 1
    for id in Array(watchers.keys) {
      guard let watcher = watchers[id] else { continue }
      log.remove(watcher.cursor)
      watchers[id]?.cursor = log.makeCursor()
    }
    return wake()
  }

  /// Takes out all who sleep.
  mutating func wake() -> [Sleeper] {
    guard !asleep.isEmpty else { return [] }
    defer { asleep.removeAll(keepingCapacity: asleep.count <= 64) }
    return asleep.compactMap { takeSleeper(of: $0) }
  }

  mutating func takeSleeper(of watcher: Int) -> Sleeper? {
    defer { watchers[watcher]?.sleeper = nil }
    return watchers[watcher]?.sleeper
  }

  /// What comes next for a watcher; at most a segment.
  mutating func read(_ id: Int) -> Reading {
    guard var watcher = watchers[id] else { return .nothing }
    defer { watchers[id] = watcher }
    if watcher.generation != generation || log.isBehind(watcher.cursor, Self.limits) {
      log.remove(watcher.cursor)
      watcher = Watcher(cursor: log.makeCursor(), generation: generation)
      return .present
    }
    if let first = watcher.first {
      watcher.first = nil
      return .updates([.present(first)], 0..<1)
    }
    guard let chunk = log.read(&watcher.cursor, limits: Self.limits), !chunk.range.isEmpty else { return .nothing }
    return .updates(chunk.elements, chunk.range)
  }

  /// Puts a watcher's sleeper where updates find it. False when there is something to read, or it is no watcher any more.
  mutating func sleep(_ id: Int, _ sleeper: Sleeper) -> Bool {
    guard let watcher = watchers[id], watcher.generation == generation, watcher.first == nil,
      !log.hasUnread(watcher.cursor)
    else { return false }
    watchers[id]?.sleeper = sleeper
    asleep.append(id)
    // While nothing happens those who came and went are not taken out otherwise. Each sleeps once at a time.
    if asleep.count > 2 * watchers.count + 64 { asleep = watchers.filter { $0.value.sleeper != nil }.map(\.key) }
    return true
  }
}
