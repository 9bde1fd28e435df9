//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ConformanceSuite {
  func checkPresence(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel("presence")
    guard broadcast.capabilities.hasPresence else { return try await checkRefusedPresence(broadcast, channel) }
    try await expectMembers([], of: channel, broadcast, "where nobody has entered")
    let one = try await broadcast.enterPresence(on: channel, as: .init("ada", info: [0, 255]))
    try await expectMembers([.init("ada", info: [0, 255])], of: channel, broadcast, "when one has entered")
    let two = try await broadcast.enterPresence(on: channel, as: .init("ada", info: "2"))
    try await expectMembers([.init("ada", info: "2")], of: channel, broadcast, "when it has entered again")
    one.leave()
    // Behind the leave, which nobody waits for.
    let other = try await broadcast.enterPresence(on: channel, as: .init("bo"))
    try await expectMembers(
      [.init("ada", info: "2"), .init("bo")], of: channel, broadcast, "when one of its two entries was left")
    one.leave()
    two.leave()
    try await expectSoon([.init("bo")], of: channel, broadcast, "when it has left with the last one")
    other.leave()
    try await expectSoon([], of: channel, broadcast, "when all have left")
    try await checkScopes(broadcast, channel)
    try await checkMembers(broadcast)
  }

  private func checkRefusedPresence(_ broadcast: any Broadcast, _ channel: Channel) async throws {
    try await expectFailure(.unsupportedPresence, of: "Entering where nobody knows who is present") {
      _ = try await broadcast.enterPresence(on: channel, as: .init("ada"))
    }
    try await expectFailure(.unsupportedPresence, of: "Asking who is present where nobody knows") {
      _ = try await broadcast.presence(of: channel)
    }
    try await expectFailure(.unsupportedPresence, of: "Watching who is present where nobody knows") {
      _ = try await broadcast.presenceUpdates(of: channel)
    }
  }

  private func checkScopes(_ broadcast: any Broadcast, _ channel: Channel) async throws {
    let member = PresenceMember("ada", info: "here")
    try await broadcast.withPresence(on: channel, as: "ada", info: "here") {
      try await expectMembers([member], of: channel, broadcast, "in a scope")
    }
    try await expectSoon([], of: channel, broadcast, "after a scope")
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try? await broadcast.withPresence(on: channel, as: "ada", info: "here") {
          // For as long as the scope is not cancelled.
          try await Task.sleep(for: .seconds(3_600))
        }
      }
      try await expectSoon([member], of: channel, broadcast, "in a scope of another task")
      group.cancelAll()
      try await group.waitForAll()
    }
    try await expectSoon([], of: channel, broadcast, "after a cancelled scope")
  }

  /// Names are bytes, and within limits.
  private func checkMembers(_ broadcast: any Broadcast) async throws {
    let channel = freshChannel("presence {*} \u{E9}")
    let members = ["caf\u{E9}", "cafe\u{301}", "Ada", "ada", "a b", "*", "{x}", "'\"\\;\n"].map { PresenceMember($0) }
    let longest = PresenceMember(
      String(repeating: "x", count: PresenceMember.maximumNameBytes), info: [UInt8](repeating: 0, count: 1_024))
    var entries: [PresenceEntry] = []
    for member in members + [longest] {
      entries.append(try await broadcast.enterPresence(on: channel, as: member))
    }
    try await expectMembers(Set(members + [longest]), of: channel, broadcast, "when all kinds of names have entered")
    let refused = [
      PresenceMember(""), .init("a\0b"), .init(longest.name + "x"), .init("ada", info: longest.info + [0]),
    ]
    for member in refused {
      try await expectFailure(.invalidMember, of: "Entering with a name or an info that breaks a rule") {
        _ = try await broadcast.enterPresence(on: channel, as: member)
      }
    }
    try await expectFailure(.invalidChannel, of: "Entering an invalid channel") {
      _ = try await broadcast.enterPresence(on: "", as: .init("ada"))
    }
    try await expectMembers(Set(members + [longest]), of: channel, broadcast, "when others were refused")
    for entry in entries { entry.leave() }
  }

  // MARK: Watching

  func checkPresenceUpdates(_ broadcast: any Broadcast) async throws {
    guard broadcast.capabilities.hasPresence else { return }
    let channel = freshChannel("presence")
    let ada = try await broadcast.enterPresence(on: channel, as: .init("ada", info: "1"))
    let updates = try await broadcast.presenceUpdates(of: channel)
    var iterator = updates.makeAsyncIterator()
    try await expectNext(.present([.init("ada", info: "1")]), of: &iterator)
    let one = try await broadcast.enterPresence(on: channel, as: .init("bo", info: "1"))
    try await expectNext(.joined(.init("bo", info: "1")), of: &iterator)
    let two = try await broadcast.enterPresence(on: channel, as: .init("bo", info: "2"))
    try await expectNext(.changed(.init("bo", info: "2")), of: &iterator)
    one.leave()
    ada.leave()
    try await expectNext(.left(.init("ada", info: "1")), of: &iterator)
    two.leave()
    try await expectNext(.left(.init("bo", info: "2")), of: &iterator)
    try await expectFailure(.alreadyIterating, of: "A second reader of the updates") {
      var second = updates.makeAsyncIterator()
      _ = try await second.next()
    }
    updates.cancel()
    let end = try await iterator.next()
    try expect(end == nil, "Cancelled updates gave \(String(describing: end)).")
    try await checkWatchers([broadcast])
  }

  func checkPresenceBetweenInstances(_ one: any Broadcast, _ two: any Broadcast) async throws {
    guard one.capabilities.hasPresence else { return }
    let channel = freshChannel("presence")
    try await withBroadcast(one) { one in
      try await withBroadcast(two) { two in
        let first = try await one.enterPresence(on: channel, as: .init("ada", info: "1"))
        let second = try await two.enterPresence(on: channel, as: .init("ada", info: "2"))
        for broadcast in [one, two] {
          try await expectMembers([.init("ada", info: "2")], of: channel, broadcast, "when it has entered in both")
        }
        first.leave()
        let other = try await one.enterPresence(on: channel, as: .init("bo"))
        try await expectMembers(
          [.init("ada", info: "2"), .init("bo")], of: channel, two, "when it has left in one of two instances")
        second.leave()
        try await expectSoon([.init("bo")], of: channel, one, "when it has left in both")
        other.leave()
        try await checkWatchers([one, two])
      }
    }
  }

  /// Watchers come while members come and go. They learn the same in the same order, each from where it came.
  private func checkWatchers(_ instances: [any Broadcast]) async throws {
    let channel = freshChannel("presence")
    try await withThrowingTaskGroup(of: [PresenceUpdate].self) { group in
      for watcher in 0..<4 {
        group.addTask {
          let broadcast = instances[watcher % instances.count]
          for _ in 0..<watcher { _ = try await broadcast.presence(of: channel) }
          return try await watch(channel, broadcast, untilAllHaveEnded: instances.count)
        }
      }
      let entries = try await comeAndGo(instances, channel)
      var seen: [[PresenceUpdate]] = []
      for try await updates in group { seen.append(updates) }
      seen.sort { $0.count > $1.count }
      for updates in seen {
        try expect(
          updates.dropFirst() == seen[0].suffix(updates.count - 1),
          "Two watchers saw two orders: \(updates), \(seen[0]).")
      }
      let members = try Self.members(by: seen[0])
      for updates in seen {
        try expect(
          try Self.members(by: updates) == members, "Watchers learned of different members: \(updates), \(seen[0]).")
      }
      for broadcast in instances {
        try await expectMembers(members, of: channel, broadcast, "where watchers learned of \(members)")
      }
      for entry in entries { entry.leave() }
    }
  }

  /// In each instance some members enter and leave; one who ends it stays.
  private func comeAndGo(_ instances: [any Broadcast], _ channel: Channel) async throws -> [PresenceEntry] {
    try await withThrowingTaskGroup(of: [PresenceEntry].self) { group in
      for (number, broadcast) in instances.enumerated() {
        group.addTask {
          var entries: [PresenceEntry] = []
          for step in 0..<20 {
            let member = PresenceMember("\(step % 5)", info: "\(number).\(step)")
            entries.append(try await broadcast.enterPresence(on: channel, as: member))
            if step % 3 > 0 { entries.removeFirst().leave() }
          }
          // Behind all of them.
          entries.append(try await broadcast.enterPresence(on: channel, as: .init("end \(number)")))
          return entries
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  /// What a watcher learns, from the last state of all on.
  private func watch(
    _ channel: Channel, _ broadcast: any Broadcast, untilAllHaveEnded count: Int
  ) async throws -> [PresenceUpdate] {
    var seen: [PresenceUpdate] = []
    for try await update in try await broadcast.presenceUpdates(of: channel) {
      if case .present = update { seen = [] }
      seen.append(update)
      let members = try Self.members(by: seen)
      if (0..<count).allSatisfy({ members.contains(.init("end \($0)")) }) { return seen }
    }
    throw Broken("The updates ended in front of the last: \(seen).")
  }

  /// Who is present by a state of all and what followed it.
  private static func members(by updates: [PresenceUpdate]) throws -> Set<PresenceMember> {
    guard case .present(let members) = updates.first else { throw Broken("The first update is no state: \(updates).") }
    var infos = Dictionary(members.map { ($0.name, $0.info) }) { $1 }
    try expect(infos.count == members.count, "A member is there twice: \(members).")
    for update in updates.dropFirst() {
      switch update {
      case .present: throw Broken("A state of all came between updates: \(updates).")
      case .joined(let member):
        let before = infos.updateValue(member.info, forKey: member.name)
        try expect(before == nil, "\(member.name) joined, and was there: \(updates).")
      case .changed(let member):
        let before = infos.updateValue(member.info, forKey: member.name)
        try expect(before != nil, "\(member.name) changed, and was not there: \(updates).")
      case .left(let member):
        let before = infos.removeValue(forKey: member.name)
        try expect(before == member.info, "\(member.name) left, and was not there like that: \(updates).")
      }
    }
    return Set(infos.map { PresenceMember($0.key, info: $0.value) })
  }

  // MARK: Expecting

  private func expectMembers(
    _ expected: Set<PresenceMember>, of channel: Channel, _ broadcast: any Broadcast, _ when: String
  ) async throws {
    let members = try await broadcast.presence(of: channel)
    try expect(
      members.count == expected.count && Set(members) == expected,
      "Present \(when) are \(members), where \(expected) had to be.")
  }

  /// Nobody waits until the broker knows who has left.
  private func expectSoon(
    _ expected: Set<PresenceMember>, of channel: Channel, _ broadcast: any Broadcast, _ when: String
  ) async throws {
    try await eventually("That \(expected) and nobody else is present \(when)") {
      try await Set(broadcast.presence(of: channel)) == expected
    }
  }

  private func expectNext(_ expected: PresenceUpdate, of iterator: inout PresenceUpdates.Iterator) async throws {
    let update = try await iterator.next()
    try expect(update == expected, "A watcher learned \(String(describing: update)), where \(expected) had to come.")
  }
}
