//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import Broadcasting

/// What a broker has to do for presence, in its simplest form, for one channel.
struct PresenceBroker {
  private(set) var members: [String: [UInt8]] = [:]
  private var held: [String: Int] = [:]
  private var rounds: [String: [String: Int]] = [:]
  private var epoch: UInt64 = 1
  private var version: UInt64 = 0
  /// What watchers are told.
  var news: [PresenceNews] = []
  /// Processes whose lease is over.
  var dead: Set<String> = []

  private var position: MessagePosition {
    version == 0 ? .beginning : MessagePosition(epoch: epoch, offset: version)
  }

  private mutating func tell(_ update: PresenceUpdate) {
    version += 1
    news.append(PresenceNews(position: position, update: update))
  }

  mutating func change(_ change: PresenceChange) -> [String] {
    dead.remove(change.process)
    var refused: [String] = []
    for step in change.steps {
      switch step {
      case .leave(let name): leave(name, change.process)
      case .enter(let member), .stay(let member):
        let isNew = rounds[change.process, default: [:]].updateValue(change.round, forKey: member.name) == nil
        if isNew, held[member.name] == nil, members.count >= change.maximumMembers {
          rounds[change.process]?[member.name] = nil
          refused.append(member.name)
          continue
        }
        if isNew { held[member.name, default: 0] += 1 }
        if case .stay = step, members[member.name] != nil, held[member.name] != 1 { continue }
        let before = members.updateValue(member.info, forKey: member.name)
        if before == nil { tell(.joined(member)) } else if before != member.info { tell(.changed(member)) }
      }
    }
    return refused
  }

  private mutating func leave(_ name: String, _ process: String) {
    guard rounds[process]?.removeValue(forKey: name) != nil, let count = held[name] else { return }
    held[name] = count == 1 ? nil : count - 1
    guard count == 1 else { return }
    members[name] = nil
    tell(.left(PresenceMember(name)))
  }

  mutating func check(_ check: PresenceCheck) -> PresenceAnswer {
    if let round = check.round {
      for (name, told) in rounds[check.process] ?? [:] where told != round { leave(name, check.process) }
    }
    let isWhole = (rounds[check.process] ?? [:]).count == check.members
    let isSameEpoch = check.epoch == nil || check.epoch == position.epoch
    if !isWhole, check.epoch != nil, isSameEpoch { flush() }
    let isRight = isWhole && isSameEpoch
    if isRight { dead.remove(check.process) }
    if check.takesOutDead {
      for process in dead { for name in (rounds[process] ?? [:]).keys { leave(name, process) } }
    }
    return PresenceAnswer(isRight: isRight, position: position)
  }

  var snapshot: PresenceSnapshot {
    PresenceSnapshot(position: position, members: members.map { PresenceMember($0.key, info: $0.value) })
  }

  /// All is forgotten.
  mutating func flush() {
    (members, held, rounds, version) = ([:], [:], [:], 0)
    epoch += 1
  }

  /// What one process has is lost, and nothing else.
  mutating func evict(_ process: String) { rounds[process] = nil }

  /// The answer to a call of a hub.
  enum Answer {
    case refused([String])
    case checked(PresenceAnswer)
    case snapshot(PresenceSnapshot)
    case done
  }

  mutating func answer(_ call: PresenceChannel.Call, of process: String, limit: Int) -> Answer {
    switch call {
    case .watch, .unwatch: .done
    case .read: .snapshot(snapshot)
    case .change(let round, let steps):
      .refused(
        change(PresenceChange(channel: "a", process: process, round: round, steps: steps, maximumMembers: limit)))
    case .check(let members, let round, let epoch):
      .checked(check(PresenceCheck(channel: "a", process: process, members: members, round: round, epoch: epoch)))
    }
  }
}
