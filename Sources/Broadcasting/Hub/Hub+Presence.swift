//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

extension Hub {
  public func enterPresence(
    on channel: Channel, as member: PresenceMember
  ) async throws(BroadcastError) -> PresenceEntry {
    try await admitPresence(on: channel) { () throws(BroadcastError) in try member.validate(configuration.presence) }
    let latch = Latch()
    try presence.perform { table throws(BroadcastError) in try table.enter(member, on: channel, latch) }
    let desk = presence
    let entry = PresenceEntry(channel: channel, member: member) { desk.perform { $0.leave(member.name, channel) } }
    do throws(BroadcastError) {
      try await wait(for: latch)
    } catch {
      entry.leave()
      throw error
    }
    return entry
  }

  public func presence(of channel: Channel) async throws(BroadcastError) -> [PresenceMember] {
    try await admitPresence(on: channel)
    var position: MessagePosition?
    if let driver { position = try await takeOutDead(of: channel, by: driver) }
    let members: [PresenceMember]
    if let known = presence.withTable({ [position] in $0.members(of: channel, at: position) }) {
      members = known
    } else {
      members = try await driver?.presence(of: channel).members ?? []
    }
    return members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  public func presenceUpdates(of channel: Channel) async throws(BroadcastError) -> PresenceUpdates {
    try await admitPresence(on: channel)
    let latch = Latch()
    var watcher = 0
    try presence.perform { table throws(BroadcastError) in
      let result = try table.watch(channel, latch)
      watcher = result.watcher
      return result.effects
    }
    let updates = PresenceUpdates(channel: channel, source: PresenceWatcher(presence, channel, watcher))
    do throws(BroadcastError) {
      try await wait(for: latch)
    } catch {
      updates.cancel()
      throw error
    }
    return updates
  }

  private func admitPresence(
    on channel: Channel, _ check: () throws(BroadcastError) -> Void = {}
  ) async throws(BroadcastError) {
    guard capabilities.hasPresence else { throw .presenceUnsupported }
    try channel.validate()
    try check()
    try await admit()
    if Task.isCancelled { throw .cancelled }
  }

  private func wait(for latch: Latch) async throws(BroadcastError) {
    // A connection that was lost since `admit` has told its waiters before this was among them.
    if driver != nil, case .refuse(let error) = lifecycle.withLock({ $0.admit(nil) }) { latch.fail(error) }
    try await latch.wait()
  }

  /// Nobody is shown whose program is long gone. Returns where the channel's updates stand.
  private func takeOutDead(
    of channel: Channel, by driver: any BroadcastDriver
  ) async throws(BroadcastError) -> MessagePosition {
    let check = PresenceCheck(
      channel: channel, process: presence.process, members: 0, takesOutDead: presence.mayTakeOutDead)
    var answer = try await driver.checkPresence(check)
    // At most 50,000 of them, should it go on and on.
    for _ in 0..<100 where answer.hasMoreDead { answer = try await driver.checkPresence(check) }
    return answer.position
  }

  func heardPresence(_ news: PresenceNews, on channel: Channel, session: Int) {
    guard lifecycle.withLock({ $0.isCurrent(session) }) else { return }
    presence.perform { $0.heard(news, on: channel) }
  }
}
