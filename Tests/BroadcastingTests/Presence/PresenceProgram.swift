//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

/// A table with a broker of the test's, as a hub has it: without time and without tasks.
struct PresenceProgram {
  let process: String
  var table: PresenceTable
  var news: [PresenceNews] = []
  var isWatching = false
  /// The scopes that are open, with the latches of those that wait.
  var scopes: [(latch: Latch, member: PresenceMember, isDone: Bool)] = []
  var watcher: Int?
  var model: Set<PresenceMember>?
  var refused = 0
  var violations: [String] = []

  init(_ process: String, limits: PresenceLimits = .init()) {
    self.process = process
    table = PresenceTable(isLocal: false, limits: limits)
  }

  mutating func follow(_ effects: PresenceEffects) {
    for (latch, error) in effects.resolved {
      guard let index = scopes.firstIndex(where: { $0.latch === latch }) else { continue }
      scopes[index].isDone = true
      guard let error else { continue }
      if error.code == .presenceFull { refused += 1 }
      let scope = scopes.remove(at: index)
      follow(table.leave(scope.member.name, "a"))
    }
  }

  mutating func enter(_ member: PresenceMember) throws {
    let latch = Latch()
    scopes.append((latch, member, false))
    follow(try table.enter(member, on: "a", latch))
  }

  mutating func leave(_ index: Int) {
    let scope = scopes.remove(at: index)
    follow(table.leave(scope.member.name, "a"))
  }

  mutating func watch() throws {
    let (watcher, effects) = try table.watch("a", Latch())
    self.watcher = watcher
    follow(effects)
  }

  enum Fate: CaseIterable { case answered, lostBefore, lostAfter }

  /// Makes one call, if the table wants one.
  mutating func call(_ broker: inout PresenceBroker, _ fate: Fate = .answered) -> Bool {
    var before = PresenceEffects()
    guard let call = table.nextCall("a", &before) else { return false }
    follow(before)
    var answer = PresenceBroker.Answer.done
    if fate != .lostBefore {
      answer = broker.answer(call, of: process, limit: table.limits.maximumMembers)
      if call == .watch { isWatching = true }
      if call == .unwatch { isWatching = false }
    }
    if fate == .answered {
      let effects =
        switch (call, answer) {
        case (.change(_, let steps), .refused(let names)): table.changed(steps, refused: names, on: "a")
        case (.check(_, let round, _), .checked(let answer)): table.checked(answer, round: round, on: "a")
        case (_, .snapshot(let snapshot)): table.snapshot(snapshot, of: "a")
        default: table.watching(call == .watch, "a")
        }
      follow(effects)
    } else {
      follow(table.failed(call, on: "a", BroadcastError(.timedOut, "Late.", isRetriable: true)))
    }
    return true
  }

  /// Makes all calls that the table wants.
  mutating func callAll(_ broker: inout PresenceBroker) {
    var calls = 0
    while call(&broker) {
      calls += 1
      if calls > 1_000 { return violations.append("It asks without end.") }
    }
  }

  mutating func hear(_ count: Int = .max) {
    for _ in 0..<min(count, news.count) { follow(table.heard(news.removeFirst(), on: "a")) }
  }

  mutating func lose() {
    isWatching = false
    news = []
    follow(table.lost(.notConnected))
  }

  mutating func connect() { follow(table.connected()) }

  mutating func tick() {
    var effects = PresenceEffects()
    _ = table.tick(&effects)
    follow(effects)
  }

  /// Reads what there is for the watcher.
  mutating func read() {
    guard let watcher, table.channels["a"]?.waiting.isEmpty ?? true else { return }
    while let (updates, range) = table.read("a", watcher) {
      for update in updates[range] {
        switch update {
        case .present(let members): model = Set(members)
        case .joined(let member):
          if model?.contains(where: { $0.name == member.name }) != false { violations.append("\(update)") }
          model?.insert(member)
        case .left(let member): if model?.remove(member) == nil { violations.append("\(update)") }
        case .changed(let member):
          let before = model?.first { $0.name == member.name }
          if before == nil || before == member { violations.append("\(update)") }
          if let before { model?.remove(before) }
          model?.insert(member)
        }
      }
    }
  }

  /// Who should be there: the last who came in says the info.
  var names: Set<String> { Set(scopes.map(\.member.name)) }
}

func spread(_ broker: inout PresenceBroker, to programs: inout [PresenceProgram]) {
  for index in programs.indices where programs[index].isWatching { programs[index].news += broker.news }
  broker.news = []
}
