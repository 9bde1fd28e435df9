//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import Broadcasting

private let broken = BroadcastError(.unavailable, "Broken.", isRetriable: true)
private let no = BroadcastError(.refused, "No.")

private func at(_ offset: UInt64, epoch: UInt64 = 1) -> MessagePosition { .init(epoch: epoch, offset: offset) }

private func right(_ position: MessagePosition = at(1)) -> PresenceBroker.Answer {
  .checked(.init(isRight: true, position: position))
}

private func snapshot(_ position: MessagePosition, _ names: String...) -> PresenceBroker.Answer {
  .snapshot(.init(position: position, members: names.map { PresenceMember($0) }))
}

@Suite("Presence with a driver that answers on command", .timeLimit(.minutes(2)))
struct HubPresenceTests {
  private func withPresence(
    _ events: Events? = nil, _ change: (inout PresenceLimits) -> Void = { _ in },
    _ body: (Hub, inout ScriptedDriver.Script) async throws -> Void
  ) async throws {
    var configuration = HubConfiguration.quick { event in events?.append(event) }
    change(&configuration.presence)
    try await withScript(configuration, capabilities: .init(hasPresence: true), body)
  }

  private func enter(_ name: String, _ hub: Hub, _ script: inout ScriptedDriver.Script) async throws -> PresenceEntry {
    async let entering = hub.enterPresence(on: "a", as: .init(name))
    try await script.expect("a change 1 +\(name)").succeed()
    let entry = try await entering
    try await script.expect("a check 1").succeed(with: right())
    return entry
  }

  private func watch(
    _ hub: Hub, _ script: inout ScriptedDriver.Script, _ first: PresenceBroker.Answer
  ) async throws -> PresenceUpdates {
    async let watching = hub.presenceUpdates(of: "a")
    try await script.expect("a watch").succeed()
    try await script.expect("a check 0").succeed(with: right())
    try await script.expect("a read").succeed(with: first)
    return try await watching
  }

  @Test("entering returns when the broker has the member, and leaving waits for nobody")
  func entering() async throws {
    try await withPresence { hub, script in
      _ = try await script.connect()
      let entry = try await enter("ann", hub, &script)
      #expect(hub.statistics.presenceMembers == 1)
      entry.leave()
      try await script.expect("a change 1 -ann").succeed()
      try await settle { hub.statistics.presenceMembers == 0 }
    }
  }

  @Test("a member whom the broker refuses is not here, and nothing is told of it again")
  func refused() async throws {
    try await withPresence { hub, script in
      _ = try await script.connect()
      async let full = failure { try await hub.enterPresence(on: "a", as: .init("ann")) }
      try await script.expect("a change 1 +ann").succeed(with: .refused(["ann"]))
      let error = await full
      #expect(error?.code == .presenceFull)
      #expect(hub.statistics.presenceMembers == 0)
      async let refused = failure { try await hub.enterPresence(on: "b", as: .init("ann")) }
      try await script.expect("b change 1 +ann").fail(no)
      let refusal = await refused
      #expect(refusal?.message == "No.")
      #expect(hub.statistics.presenceMembers == 0)
    }
  }

  @Test("who waits when the connection is lost is told so, and what may have arrived is swept out by the next one")
  func lostWhileEntering() async throws {
    try await withPresence { hub, script in
      let (session, _) = try await script.connect()
      async let error = failure { try await hub.enterPresence(on: "a", as: .init("ann")) }
      let change = try await script.expect("a change 1 +ann")
      session.fail(broken)
      let lost = await error
      #expect(lost?.code == .unavailable && lost?.isRetriable == true)
      _ = try await script.connect()
      // Its answer is of a session that is over.
      change.succeed()
      try await script.expect("a check 0 of round 2").succeed(with: right())
      try await settle { hub.presence.withTable { $0.channels.isEmpty } }
    }
  }

  @Test("who waits when run() ends is told so")
  func endWhileEntering() async throws {
    let driver = ScriptedDriver(capabilities: .init(hasPresence: true))
    var script = ScriptedDriver.Script(driver)
    let hub = Hub(driver: driver, configuration: .quick())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await hub.run() }
      _ = try await script.connect()
      async let error = failure { try await hub.enterPresence(on: "a", as: .init("ann")) }
      let call = try await script.expect("a change 1 +ann")
      group.cancelAll()
      let ended = await error
      #expect(ended?.code == .notRunning)
      withExtendedLifetime(call) {}
    }
  }

  @Test("who is here when the connection is lost is told again, and the event says how many")
  func lostWhileHere() async throws {
    let events = Events()
    try await withPresence(events) { hub, script in
      let (session, _) = try await script.connect()
      let ann = try await enter("ann", hub, &script)
      session.fail(broken)
      let (_, _) = try await script.connect()
      try await script.expect("a change 2 =ann").succeed()
      try await script.expect("a check 1 of round 2").succeed(with: right())
      try await settle { events.count(.presenceRefilled) == 1 }
      #expect(events.all.last { $0.kind == .presenceRefilled }?.count == 1)
      // A new scope says the info anew, even the same.
      async let again = hub.enterPresence(on: "a", as: .init("ann"))
      try await script.expect("a change 2 +ann").succeed()
      withExtendedLifetime((ann, try await again)) {}
    }
  }

  @Test("who leaves while the broker is away is not told again, but swept out")
  func leavingWhileAway() async throws {
    try await withPresence { hub, script in
      let (session, _) = try await script.connect()
      let ann = try await enter("ann", hub, &script)
      session.fail(broken)
      let next = try await script.next()
      try await settle { !hub.statistics.isAvailable }
      ann.leave()
      #expect(await failure { try await hub.enterPresence(on: "a", as: .init("bob")) }?.isRetriable == true)
      guard case .run(let inbox) = next.kind else { throw ScriptedDriver.Unexpected(call: next.name) }
      inbox.connected()
      try await script.expect("a check 0 of round 2").succeed(with: right())
      try await settle { hub.presence.withTable { $0.channels.isEmpty } }
    }
  }

  @Test("cancelled before it entered: nothing stays")
  func cancelled() async throws {
    try await withPresence { hub, script in
      _ = try await script.connect()
      try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
        group.addTask { await failure { try await hub.enterPresence(on: "a", as: .init("ann")) } }
        let change = try await script.expect("a change 1 +ann")
        group.cancelAll()
        #expect(try await group.next()??.code == .cancelled)
        change.succeed()
      }
      try await script.expect("a change 1 -ann").succeed()
      try await settle { hub.statistics.presenceMembers == 0 }
    }
  }

  @Test("a watcher gets the state and then what comes, and a hole is closed by another state")
  func watching() async throws {
    try await withPresence { hub, script in
      let (_, inbox) = try await script.connect()
      let updates = try await watch(hub, &script, snapshot(at(5), "ann"))
      inbox.presence(.init(position: at(5), update: .joined(.init("ann"))), on: "a")
      inbox.presence(.init(position: at(6), update: .joined(.init("bob"))), on: "a")
      inbox.presence(.init(position: at(6), update: .joined(.init("elsewhere"))), on: "b")
      var iterator = updates.makeAsyncIterator()
      #expect(try await read(&iterator, 2) == [.present([.init("ann")]), .joined(.init("bob"))])
      inbox.presence(.init(position: at(8), update: .joined(.init("dan"))), on: "a")
      let call = try await script.expect("a read")
      inbox.presence(.init(position: at(9), update: .left(.init("dan"))), on: "a")
      call.succeed(with: snapshot(at(8), "bob", "dan"))
      #expect(try await read(&iterator, 1) == [.present([.init("bob")])])
    }
  }

  @Test("after a lost connection a watcher hears only of what has changed")
  func watchingThroughLoss() async throws {
    try await withPresence { hub, script in
      var (session, _) = try await script.connect()
      let updates = try await watch(hub, &script, snapshot(at(1), "ann"))
      var iterator = updates.makeAsyncIterator()
      #expect(try await read(&iterator, 1) == [.present([.init("ann")])])
      for (position, names) in [(at(1), ["ann"]), (at(3), ["ann", "bob"])] {
        session.fail(broken)
        session = try await script.connect().call
        try await script.expect("a watch").succeed()
        let members = names.map { PresenceMember($0) }
        var call = try await script.nextBesideBeats()
        // With time, a check comes first.
        while call.name == "a check 0" {
          call.succeed(with: right(position))
          call = try await script.nextBesideBeats()
        }
        #expect(call.name == "a read")
        call.succeed(with: .snapshot(.init(position: position, members: members)))
      }
      #expect(try await read(&iterator, 1) == [.present([.init("ann"), .init("bob")])])
    }
  }

  @Test("a watch that the broker refuses, or answers when nobody waits any more, leaves nothing behind")
  func watchingInVain() async throws {
    try await withPresence { hub, script in
      _ = try await script.connect()
      async let refused = failure { try await hub.presenceUpdates(of: "a") }
      try await script.expect("a watch").fail(no)
      let error = await refused
      #expect(error?.message == "No.")
      try await settle { hub.presence.withTable { $0.channels.isEmpty } }
      try await withThrowingTaskGroup(of: BroadcastError?.self) { group in
        group.addTask { await failure { try await hub.presenceUpdates(of: "b") } }
        let call = try await script.expect("b watch")
        group.cancelAll()
        #expect(try await group.next()??.code == .cancelled)
        call.succeed()
      }
      try await script.expect("b unwatch").succeed()
      try await settle { hub.presence.withTable { $0.channels.isEmpty } }
    }
  }

  @Test("who looks has the dead taken out first, and asks for no more than the broker's answer")
  func looking() async throws {
    try await withPresence { hub, script in
      let (session, _) = try await script.connect()
      async let members = hub.presence(of: "a")
      let more = PresenceAnswer(isRight: true, hasMoreDead: true, position: at(1))
      try await script.expect("a check 0").succeed(with: .checked(more))
      try await script.expect("a check 0").succeed(with: right(at(2)))
      try await script.expect("a read").succeed(with: snapshot(at(2), "bob", "ann"))
      #expect(try await members.map(\.name) == ["ann", "bob"])
      async let refused = failure { try await hub.presence(of: "a") }
      try await script.expect("a check 0").fail(no)
      let error = await refused
      #expect(error?.message == "No.")
      session.fail(broken)
    }
  }

  @Test("no further channel is watched when the members of those that are take too much")
  func bytes() async throws {
    try await withPresence(nil, { $0.maximumWatchedBytes = 400 }) { hub, script in
      let (_, inbox) = try await script.connect()
      let updates = try await watch(hub, &script, snapshot(at(1), "ann"))
      inbox.presence(.init(position: at(2), update: .joined(.init("bob"))), on: "a")
      let error = await failure { try await hub.presenceUpdates(of: "b") }
      #expect(error?.code == .presenceFull && error?.message.contains("maximumWatchedBytes") == true)
      // Another watcher of the same channel costs nothing.
      let second = try await hub.presenceUpdates(of: "a")
      inbox.presence(.init(position: at(3), update: .left(.init("bob"))), on: "a")
      #expect(hub.presence.withTable { $0.watchedBytes } == 203)
      async let other = hub.presenceUpdates(of: "b")
      try await script.expect("b watch").succeed()
      try await script.expect("b check 0").succeed(with: right(.beginning))
      try await script.expect("b read").succeed(with: snapshot(.beginning))
      withExtendedLifetime((updates, second, try await other)) {}
    }
  }
}
