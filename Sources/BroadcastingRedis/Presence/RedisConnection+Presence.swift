//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker

extension RedisConnection: PresenceConnection {
  private nonisolated var scripts: PresenceScripts {
    PresenceScripts(names: KeyNames(prefix: configuration.keyPrefix, database: dialer.server.database))
  }

  /// Questions about presence, whose refusals say what they need.
  private func askPresence<Answer: Sendable>(
    _ call: ScriptCall, _ read: @escaping (ReplyReader) -> Answer?
  ) async throws(BroadcastError) -> Answer {
    do throws(BroadcastError) { return try await ask(call, read) } catch { throw RedisError.presence(error) }
  }

  func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String] {
    session?.presence.hasMembers = true
    return try await askPresence(scripts.change(change)) { PresenceWords.refused($0) }
  }

  func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer {
    try await askPresence(scripts.check(check), PresenceWords.answer)
  }

  func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot {
    let limit = configuration.hub.presence.maximumMembers
    switch try await askPresence(scripts.snapshot(of: channel, maximumMembers: limit), PresenceWords.snapshot) {
    case .all(let snapshot): return snapshot
    case .tooMany(let count): throw RedisError.tooManyPresent(count, on: channel, limit)
    }
  }

  func watchPresence(of channel: Channel) async throws(BroadcastError) {
    let name = scripts.updates(of: channel)
    session?.presence.add(channel, as: name)
    do throws(BroadcastError) { try await ask(.subscribe, .init(name: name)) } catch {
      throw RedisError.presence(error)
    }
  }

  func unwatchPresence(of channel: Channel) async throws(BroadcastError) {
    let name = scripts.updates(of: channel)
    session?.presence.remove(name)
    try await ask(.unsubscribe, .init(name: name))
  }

  func finishPresence() { session?.finishPresence() }
}
