//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

extension Hub {
  /// Four a second.
  private static let tick = Duration.milliseconds(250)
  /// How many channels may ask the broker at once.
  private static let presenceCallsAtOnce = 64

  /// Asks the broker for what the channels' presence wants, for the time of a session.
  ///
  /// When the session is cancelled with the hub, all members leave; see ``BroadcastDriver/finishPresence()``.
  func keepPresence(with driver: some BroadcastDriver) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.tickPresence() }
      await self.performPresenceCalls(with: driver)
      group.cancelAll()
    }
    // A connection that is gone has been told so, here too; otherwise the hub ends.
    if isOpen.load(ordering: .acquiring) { await leaveAll(with: driver) }
    let reason = lifecycle.withLock { lifecycle in
      if case .refuse(let reason) = lifecycle.admit(nil) { reason } else { BroadcastError.ended }
    }
    presence.perform { $0.isOnline ? $0.lost(reason) : PresenceEffects() }
  }

  private func performPresenceCalls(with driver: some BroadcastDriver) async {
    let slots = CallSlots(count: Self.presenceCallsAtOnce)
    await withDiscardingTaskGroup { group in
      while let channels = await presence.calls.next() {
        for channel in channels {
          await slots.take()
          group.addTask {
            while !Task.isCancelled, await self.performPresenceCall(of: channel, with: driver) {}
            slots.give()
          }
        }
      }
    }
  }

  private func tickPresence() async {
    while await presence.alarm.next() != nil {
      var isNeeded = true
      while isNeeded, !Task.isCancelled {
        // Leases are kept by the clock, of which nothing else tells. It fails only when the task is cancelled, which ends the
        // loop.
        try? await Task.sleep(for: Self.tick)
        presence.perform { table in
          var effects = PresenceEffects()
          isNeeded = table.tick(&effects)
          return effects
        }
      }
      // The next session goes on with it.
      if isNeeded { presence.alarm.append([()]) }
    }
  }

  /// At the end: what is still to be told, and that all have left. The driver sees to it that it does not last.
  private func leaveAll(with driver: some BroadcastDriver) async {
    presence.perform { $0.leaveAll() }
    let slots = CallSlots(count: Self.presenceCallsAtOnce)
    await withDiscardingTaskGroup { group in
      for channel in presence.withTable({ Array($0.channels.keys) }) {
        await slots.take()
        group.addTask {
          while await self.performPresenceCall(of: channel, with: driver) {}
          slots.give()
        }
      }
    }
    await driver.finishPresence()
  }

  /// Makes the next call of a channel. Returns false when there is none.
  private func performPresenceCall(of channel: Channel, with driver: some BroadcastDriver) async -> Bool {
    var (call, session, limit) = (PresenceChannel.Call?.none, 0, 0)
    presence.perform { table in
      var effects = PresenceEffects()
      call = table.nextCall(channel, &effects)
      (session, limit) = (table.session, table.limits.maximumMembers)
      return effects
    }
    guard let call else { return false }
    let answer: @Sendable (inout PresenceTable) -> PresenceEffects
    do throws(BroadcastError) {
      switch call {
      case .watch:
        try await driver.watchPresence(of: channel)
        answer = { $0.watching(true, channel) }
      case .unwatch:
        try await driver.unwatchPresence(of: channel)
        answer = { $0.watching(false, channel) }
      case .read:
        let snapshot = try await driver.presence(of: channel)
        answer = { $0.snapshot(snapshot, of: channel) }
      case .change(let round, let steps):
        let refused = try await driver.changePresence(
          PresenceChange(
            channel: channel, process: presence.process, round: round, steps: steps, maximumMembers: limit))
        answer = { $0.changed(steps, refused: refused, on: channel) }
      case .check(let members, let round, let epoch):
        let result = try await driver.checkPresence(
          PresenceCheck(
            channel: channel, process: presence.process, members: members, round: round, epoch: epoch,
            takesOutDead: presence.mayTakeOutDead))
        answer = { $0.checked(result, round: round, on: channel) }
      }
    } catch {
      // Calls are cancelled with the hub. Who waits for one was not.
      let error = error.code == .cancelled && Task.isCancelled ? BroadcastError.ended : error
      answer = { $0.failed(call, on: channel, error) }
    }
    // A session that is over has told all channels so.
    let refilled = presence.perform { $0.session == session ? answer(&$0) : PresenceEffects() }
    if let refilled { emit(BroadcastEvent(.presenceRefilled, count: refilled)) }
    return true
  }
}
