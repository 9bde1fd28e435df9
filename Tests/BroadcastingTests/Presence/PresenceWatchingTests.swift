//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Watching presence on memory", .timeLimit(.minutes(2)))
struct PresenceWatchingTests {
  @Test("a sleeping watcher is woken by each update, and two see the same")
  func waking() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let watchers = [try await broadcast.presenceUpdates(of: "a"), try await broadcast.presenceUpdates(of: "a")]
      try await withThrowingTaskGroup(of: [PresenceUpdate].self) { group in
        for watcher in watchers {
          group.addTask {
            var iterator = watcher.makeAsyncIterator()
            return try await read(&iterator, 101)
          }
        }
        for number in 0..<50 {
          try await broadcast.withPresence(on: "a", as: "\(number)") { await Task.yield() }
        }
        let seen = try await group.reduce(into: []) { $0.append($1) }
        #expect(seen[0] == seen[1])
        #expect(
          seen[0] == [.present([])]
            + (0..<50).flatMap { [.joined(.init("\($0)")), .left(.init("\($0)"))] as [PresenceUpdate] })
      }
    }
  }

  @Test("a watcher who is too far behind gets all who are there in place of what it missed, and goes on from there")
  func slow() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let slow = try await broadcast.presenceUpdates(of: "a")
      var iterator = slow.makeAsyncIterator()
      #expect(try await iterator.next() == .present([]))
      var entries: [PresenceEntry] = []
      for number in 0..<1_025 { entries.append(try await broadcast.enterPresence(on: "a", as: .init("\(number)"))) }
      guard case .present(let members)? = try await iterator.next() else { throw CancellationError() }
      #expect(members.count == 1_025)
      entries.removeFirst().leave()
      #expect(try await iterator.next() == .left(.init("0")))
      // As many as it may have.
      for entry in entries { entry.leave() }
      #expect(try await iterator.next() == .left(.init("1")))
    }
  }

  @Test("large infos count too")
  func large() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let slow = try await broadcast.presenceUpdates(of: "a")
      var iterator = slow.makeAsyncIterator()
      #expect(try await iterator.next() == .present([]))
      let info = [UInt8](repeating: 1, count: 1_024)
      var entries: [PresenceEntry] = []
      for number in 0..<256 {
        entries.append(try await broadcast.enterPresence(on: "a", as: .init("\(number)", info: info)))
      }
      guard case .present(let members)? = try await iterator.next() else { throw CancellationError() }
      #expect(members.count == 256)
      withExtendedLifetime(entries) {}
    }
  }

  @Test("it ends by cancelling it, by cancelling its task, by dropping it, and has one reader")
  func ends() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let cancelled = try await broadcast.presenceUpdates(of: "a")
      var iterator = cancelled.makeAsyncIterator()
      #expect(try await iterator.next() == .present([]))
      var second = cancelled.makeAsyncIterator()
      #expect(await failure { try await second.next() as Any }?.code == .alreadyIterating)
      cancelled.cancel()
      #expect(try await iterator.next() == nil)

      let sleeping = try await broadcast.presenceUpdates(of: "a")
      try await withThrowingTaskGroup(of: Int.self) { group in
        let hasBegun = Latch()
        group.addTask {
          var count = 0
          for try await _ in sleeping {
            count += 1
            hasBegun.succeed()
          }
          return count
        }
        try await hasBegun.wait()
        group.cancelAll()
        #expect(try await group.next() == 1)
      }
      #expect(broadcast.statistics.presenceWatched == 0)

      var dropped: PresenceUpdates? = try await broadcast.presenceUpdates(of: "a")
      #expect(broadcast.statistics.presenceWatched == 1)
      withExtendedLifetime(dropped) {}
      dropped = nil
      #expect(broadcast.statistics.presenceWatched == 0)
    }
  }

  @Test("those who watched and slept while nothing happened leave nothing behind")
  func churn() async throws {
    let hub = Hub(configuration: .init())
    try await withBroadcast(hub) { hub in
      let stays = try await hub.presenceUpdates(of: "a")
      for _ in 0..<200 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          let updates = try await hub.presenceUpdates(of: "a")
          let before = hub.presence.withTable { $0.channels["a"]?.audience.sleepers }
          group.addTask { for try await _ in updates {} }
          try await settle { hub.presence.withTable { $0.channels["a"]?.audience.sleepers } != before }
          updates.cancel()
        }
      }
      #expect(hub.presence.withTable { $0.channels["a"]?.audience.sleepers ?? 0 } < 100)
      withExtendedLifetime(stays) {}
    }
  }

  @Test("a waiting watcher is woken by cancelling and by the end of run()")
  func wokenAtEnd() async throws {
    let broadcast = MemoryBroadcast()
    let models = [WatcherModel(), WatcherModel()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await withBroadcast(broadcast) { broadcast in
        let watchers = [try await broadcast.presenceUpdates(of: "a"), try await broadcast.presenceUpdates(of: "a")]
        for (watcher, model) in zip(watchers, models) { group.addTask { try await model.follow(watcher) } }
        try await settle { models.allSatisfy { $0.count == 1 } }
        watchers[0].cancel()
        try await group.next()
      }
      try await group.next()
    }
  }

  @Test(
    "1,000 members join and leave at random, and all watchers know at every quiet point who is there",
    arguments: [1, 2, 3])
  func model(seed: UInt64) async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      // The third is slow.
      let models = [WatcherModel(), WatcherModel(), WatcherModel(yields: 20), WatcherModel()]
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        for model in models {
          let updates = try await broadcast.presenceUpdates(of: "a")
          group.addTask { try await model.follow(updates) }
        }
        var crowd = Crowd(seed: seed, members: 1_000)
        for step in 0..<6_000 {
          try await crowd.step(on: "a", of: broadcast)
          guard step % 1_000 == 999 else { continue }
          let expected = crowd.members
          #expect(Set(try await broadcast.presence(of: "a")) == expected)
          #expect(broadcast.statistics.presenceMembers == expected.count)
          try await settle { models.allSatisfy { $0.members == expected } }
        }
        crowd.leave()
        try await settle { models.allSatisfy(\.members.isEmpty) }
        #expect(models.flatMap(\.violations) == [])
      }
    }
  }
}
