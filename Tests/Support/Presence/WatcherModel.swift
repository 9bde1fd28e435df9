//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingLocking

/// What a watcher of presence knows by the updates that it got, and which of these made no sense.
package final class WatcherModel: Sendable {
  private struct State: Sendable {
    var infos: [Channel: [UInt8]] = [:]
    var count = 0
    var presents = 0
    var left = 0
    var violations: [String] = []
  }

  private let state = Lock(State())
  private let yields: Int

  /// - Parameter yields: How often others are let run after each update.
  package init(yields: Int = 0) { self.yields = yields }

  package var members: Set<PresenceMember> {
    state.withLock { state in Set(state.infos.map { PresenceMember($0.key.name, info: $0.value) }) }
  }
  /// How many updates it got, how many states of all among them, and how many who left, also by such a state.
  package var count: Int { state.withLock { $0.count } }
  package var presents: Int { state.withLock { $0.presents } }
  package var left: Int { state.withLock { $0.left } }
  package var violations: [String] { state.withLock { $0.violations } }

  /// Reads to the end.
  package func follow(_ updates: PresenceUpdates) async throws {
    for try await update in updates {
      state.withLock { Self.take(update, &$0) }
      for _ in 0..<yields { await Task.yield() }
    }
  }

  private static func take(_ update: PresenceUpdate, _ state: inout State) {
    state.count += 1
    switch update {
    case .present(let members):
      state.presents += 1
      let before = state.infos
      state.infos = [:]
      for member in members where state.infos.updateValue(member.info, forKey: Channel(member.name)) != nil {
        state.violations.append("\(member.name) twice")
      }
      state.left += before.keys.count { state.infos[$0] == nil }
      return
    case .joined(let member):
      let before = state.infos.updateValue(member.info, forKey: Channel(member.name))
      if before == nil { return }
    case .left(let member):
      state.left += 1
      let before = state.infos.removeValue(forKey: Channel(member.name))
      if before == member.info { return }
    case .changed(let member):
      let before = state.infos.updateValue(member.info, forKey: Channel(member.name))
      if let before, before != member.info { return }
    }
    state.violations.append("\(state.count): \(update)")
  }
}
