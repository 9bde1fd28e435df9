//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import Broadcasting

// What a hub asks of its broker about presence. The test answers each question.
extension ScriptedDriver {
  func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String] {
    let answer = try await askPresence(.change(round: change.round, steps: change.steps), of: change.channel)
    return if case .refused(let names)? = answer { names } else { [] }
  }

  func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer {
    let answer = try await askPresence(
      .check(members: check.members, round: check.round, epoch: check.epoch), of: check.channel)
    guard case .checked(let answer)? = answer else { return PresenceAnswer(isRight: true, position: .beginning) }
    return answer
  }

  func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot {
    let answer = try await askPresence(.read, of: channel)
    guard case .snapshot(let snapshot)? = answer else { return PresenceSnapshot(position: .beginning, members: []) }
    return snapshot
  }

  func watchPresence(of channel: Channel) async throws(BroadcastError) {
    _ = try await askPresence(.watch, of: channel)
  }

  func unwatchPresence(of channel: Channel) async throws(BroadcastError) {
    _ = try await askPresence(.unwatch, of: channel)
  }
}

extension ScriptedDriver.Script {
  /// Waits for the next call, and answers checks that only come with time: all is right.
  mutating func nextBesideBeats() async throws -> ScriptedDriver.Call {
    while true {
      let call = try await next()
      guard case .presence(.check(_, nil, let epoch?), _) = call.kind else { return call }
      call.succeed(with: .checked(PresenceAnswer(isRight: true, position: .init(epoch: epoch, offset: 1))))
    }
  }

  /// Waits for a question about presence, which has to be this one.
  mutating func expect(_ name: String) async throws -> ScriptedDriver.Call {
    let call = try await nextBesideBeats()
    if call.name != name { throw ScriptedDriver.Unexpected(call: "\(call.name) in place of \(name)") }
    return call
  }
}

extension PresenceChannel.Call {
  /// As a test names it.
  var text: String {
    switch self {
    case .watch: "watch"
    case .unwatch: "unwatch"
    case .read: "read"
    case .change(let round, let steps): "change \(round) " + steps.map(\.text).joined(separator: ",")
    case .check(let members, let round, _): "check \(members)" + (round.map { " of round \($0)" } ?? "")
    }
  }
}

extension PresenceChange.Step {
  fileprivate var text: String {
    switch self {
    case .enter(let member): "+\(member.name)"
    case .stay(let member): "=\(member.name)"
    case .leave(let name): "-\(name)"
    }
  }
}
