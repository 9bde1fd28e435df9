//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Where a hub keeps who is present: the table under its lock, and what waits for the task that makes the calls.
final class PresenceDesk: Sendable {
  /// This hub among all that are connected to a broker.
  let process: String
  /// Channels that may have something to ask the broker, each once.
  let calls = Mailbox<Channel>()
  /// Told when ticks are needed. There is at most one.
  let alarm = Mailbox<Void>()
  private let table: Lock<PresenceTable>
  private let sessions = Lock(Sessions())

  private struct Sessions: Sendable {
    var count = 0
    var connected = ContinuousClock.now
  }

  /// For so long after a lost connection nobody is taken for dead.
  private static let patience = Duration.seconds(5)

  init(isLocal: Bool, limits: PresenceLimits) {
    let digits = (0..<2).map { _ in
      let half = String(UInt64.random(in: 0 ... .max), radix: 16)
      return String(repeating: "0", count: 16 - half.count) + half
    }
    process = digits.joined()
    table = Lock(PresenceTable(isLocal: isLocal, limits: limits))
  }

  // MARK: Sessions

  /// A session is connected, and nobody is let in yet: whoever looks in it has to know how long it has been one.
  func begin() {
    sessions.withLock { sessions in
      sessions.count += 1
      sessions.connected = ContinuousClock.now
    }
  }

  /// After ``begin()``.
  func connected() { perform { $0.connected() } }

  /// Whether the dead may be taken out. A broker that was away for long holds all for dead, so whoever is back waits until the
  /// others are too.
  var mayTakeOutDead: Bool {
    sessions.withLock { sessions in
      sessions.count == 1 || ContinuousClock.now - sessions.connected > Self.patience
    }
  }

  func end(because error: BroadcastError) {
    perform { $0.end(error) }
    _ = calls.close()
    _ = alarm.close()
  }

  var counts: (members: Int, watched: Int) { table.withLock { ($0.entries, $0.watched) } }

  func withTable<Result: Sendable>(_ body: (inout PresenceTable) -> Result) -> Result { table.withLock { body(&$0) } }

  /// Changes the table, and then does what follows. Returns how many had been told again, when all are.
  @discardableResult
  func perform(
    _ body: (inout PresenceTable) throws(BroadcastError) -> PresenceEffects
  ) throws(BroadcastError) -> Int? {
    let effects = try table.withLock { table throws(BroadcastError) in try body(&table) }
    follow(effects)
    return effects.refilled
  }

  @discardableResult
  func perform(_ body: (inout PresenceTable) -> PresenceEffects) -> Int? {
    let effects = table.withLock { body(&$0) }
    follow(effects)
    return effects.refilled
  }

  func follow(_ effects: PresenceEffects) {
    calls.append(effects.ready)
    if effects.startsTicking { alarm.append([()]) }
    for (latch, error) in effects.resolved { if let error { latch.fail(error) } else { latch.succeed() } }
    for sleeper in effects.woken { sleeper.resume() }
  }
}
