//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The members of one channel who are present by this program, and which of them the broker has been told of.
///
/// What is wanted and what is known are kept apart, and a change carries the difference: so many changes of one moment are one
/// call, and whoever leaves and comes back in between never leaves.
struct OwnMembers: Sendable {
  typealias Resolved = (latch: Latch, error: BroadcastError?)

  private struct Entry: Sendable {
    /// How many scopes have it here. With none it is on its way out.
    var holders = 0
    var info: [UInt8] = []
    /// Whether the broker has it, and with which info.
    var known: [UInt8]?
    /// The info that the broker confirmed at last, in whatever round, until somebody enters again.
    var told: [UInt8]?
    var isPending = false
    var isUnderWay = false
    /// Those who wait for a change that has not begun, and for the one under way.
    var waiting: [Latch] = []
    var riding: [Latch] = []
  }

  private var entries: [PresenceName: Entry] = [:]
  /// Whose difference is to be told, from `firstPending` on.
  private var pending: [PresenceName] = []
  private var firstPending = 0
  private var refused: Set<PresenceName> = []
  private var isUnderWay = false
  private(set) var round = 1
  /// How many the broker has confirmed in this round.
  private(set) var known = 0
  /// In which epoch of the broker's updates it has them.
  private(set) var epoch: UInt64?
  /// Whether the broker may have some who have left here, so that they have to be swept out when all others are told.
  private(set) var needsSweep = false

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty && !needsSweep && !isUnderWay }
  var hasPending: Bool { firstPending < pending.count }

  func has(_ name: String) -> Bool { entries[PresenceName(name)] != nil }

  /// Somebody enters. That is told also where the member is here with that very info: elsewhere it may have got another.
  mutating func enter(_ member: PresenceMember, _ latch: Latch) {
    let name = PresenceName(member.name)
    var entry = entries.removeValue(forKey: name) ?? Entry()
    defer { entries[name] = entry }
    entry.holders += 1
    entry.info = member.info
    entry.told = nil
    entry.waiting.append(latch)
    note(name, &entry)
  }

  /// Somebody leaves. Returns whether there is something to tell.
  mutating func leave(_ member: String) -> Bool {
    let name = PresenceName(member)
    guard var entry = entries[name] else { return false }
    entry.holders -= 1
    guard entry.holders == 0 else {
      entries[name] = entry
      return false
    }
    if entry.known == nil, !entry.isUnderWay {
      // It was refused, or never told, or told in a round that is over: then it is swept out.
      refused.remove(name)
      entries[name] = nil
      tidyPending()
      return false
    }
    note(name, &entry)
    entries[name] = entry
    return true
  }

  /// All leave, for the end.
  mutating func leaveAll() -> [Resolved] {
    var resolved: [Resolved] = []
    for (name, entry) in entries {
      var entry = entry
      resolved += entry.waiting.map { ($0, .ended) }
      entry.waiting = []
      entry.holders = 0
      note(name, &entry)
      entries[name] = entry
    }
    return resolved
  }

  private mutating func note(_ name: PresenceName, _ entry: inout Entry) {
    if entry.isPending { return }
    entry.isPending = true
    pending.append(name)
  }

  /// Those who have gone before they were told leave their place behind, which is taken out when there are many.
  private mutating func tidyPending() {
    guard pending.count - firstPending > 2 * entries.count + 64 else { return }
    var seen: Set<PresenceName> = []
    pending = pending[firstPending...].filter { entries[$0]?.isPending == true && seen.insert($0).inserted }
    firstPending = 0
  }

  // MARK: Changes

  /// What is to be told now, as far as one change reaches. There is one under way at a time.
  mutating func takeSteps() -> [PresenceChange.Step] {
    var steps: [PresenceChange.Step] = []
    while hasPending, steps.count < PresenceChange.maximumSteps {
      let name = pending[firstPending]
      firstPending += 1
      guard var entry = entries[name], entry.isPending else { continue }
      entry.isPending = false
      if entry.holders > 0 {
        entry.riding = entry.waiting
        entry.waiting = []
        let member = PresenceMember(name.text, info: entry.info)
        steps.append(entry.known == nil && entry.told == entry.info ? .stay(member) : .enter(member))
      } else if entry.known != nil {
        steps.append(.leave(name.text))
      } else {
        entries[name] = nil
        refused.remove(name)
        continue
      }
      entry.isUnderWay = true
      entries[name] = entry
    }
    if !hasPending { (pending, firstPending) = ([], 0) }
    isUnderWay = !steps.isEmpty
    return steps
  }

  /// The broker has made a change, but for those whom it refused.
  mutating func changed(_ steps: [PresenceChange.Step], refused names: [String], _ full: BroadcastError) -> [Resolved] {
    isUnderWay = false
    let refusedNow = Set(names.map { PresenceName($0) })
    var resolved: [Resolved] = []
    for step in steps {
      switch step {
      case .enter(let member), .stay(let member):
        let name = PresenceName(member.name)
        guard var entry = entries[name] else { continue }
        let isRefused = refusedNow.contains(name)
        resolved += entry.riding.map { ($0, isRefused ? full : nil) }
        (entry.riding, entry.isUnderWay) = ([], false)
        known += (isRefused ? 0 : 1) - (entry.known == nil ? 0 : 1)
        entry.known = isRefused ? nil : member.info
        // Whoever entered meanwhile is told by another step.
        entry.told = entry.isPending ? nil : entry.known
        if isRefused { refused.insert(name) } else { refused.remove(name) }
        entries[name] = entry
      case .leave(let member):
        let name = PresenceName(member)
        guard var entry = entries[name] else { continue }
        entry.isUnderWay = false
        if entry.known != nil { known -= 1 }
        (entry.known, entry.told) = (nil, nil)
        entries[name] = entry.holders == 0 && !entry.isPending ? nil : entry
      }
    }
    if known == 0 { epoch = nil }
    return resolved
  }

  /// Nobody knows what became of a change. All has to be told again.
  mutating func failed(_ steps: [PresenceChange.Step], _ error: BroadcastError) -> [Resolved] {
    isUnderWay = false
    var resolved: [Resolved] = []
    for step in steps {
      let name: PresenceName
      switch step {
      case .enter(let member), .stay(let member): name = PresenceName(member.name)
      case .leave: continue
      }
      for latch in entries[name]?.riding ?? [] { resolved.append((latch, error)) }
      entries[name]?.riding = []
    }
    return resolved
  }

  // MARK: Telling all again

  /// Begins a round in which all are told again, and others swept out. Returns how many these are.
  @discardableResult
  mutating func tellAgain() -> Int {
    round += 1
    known = 0
    epoch = nil
    (pending, firstPending) = ([], 0)
    refused = []
    needsSweep = true
    for (name, entry) in entries {
      var entry = entry
      (entry.known, entry.isPending, entry.isUnderWay) = (nil, false, false)
      if entry.holders > 0 {
        note(name, &entry)
        entries[name] = entry
      } else {
        entries[name] = nil
      }
    }
    return entries.count
  }

  /// The broker is away. Who waits for it fails; who is here is told again when it is back.
  mutating func lost(_ error: BroadcastError) -> [Resolved] {
    isUnderWay = false
    if entries.isEmpty { return [] }
    tellAgain()
    var resolved: [Resolved] = []
    for (name, entry) in entries where !entry.waiting.isEmpty || !entry.riding.isEmpty {
      resolved += (entry.waiting + entry.riding).map { ($0, error) }
      entries[name]?.waiting = []
      entries[name]?.riding = []
    }
    return resolved
  }

  /// The broker has all of them, and no others.
  mutating func confirmed(in epoch: UInt64) {
    needsSweep = false
    self.epoch = known > 0 ? epoch : nil
  }

  /// Nothing can be told.
  mutating func giveUp() { needsSweep = false }

  /// Those who found the channel full, and have not given up, are tried again.
  mutating func tryRefusedAgain() {
    for name in refused {
      guard var entry = entries[name] else { continue }
      note(name, &entry)
      entries[name] = entry
    }
    refused = []
  }
}
