//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Presence on memory", .timeLimit(.minutes(2)))
struct PresenceTests {
  @Test("a member is present for the time of a scope, and all who are there are told in the order of their names")
  func scope() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      #expect(broadcast.capabilities.hasPresence)
      #expect(try await broadcast.presence(of: "room") == [])
      try await broadcast.withPresence(on: "room", as: "bob", info: "Bob") {
        try await broadcast.withPresence(on: "room", as: "ann", info: [0, 255]) {
          let members = try await broadcast.presence(of: "room")
          #expect(members == [PresenceMember("ann", info: [0, 255]), PresenceMember("bob", info: "Bob")])
          #expect(members.map(\.infoText) == [nil, "Bob"])
          #expect(try await broadcast.presence(of: "other") == [])
          #expect(broadcast.statistics.presenceMembers == 2)
        }
        #expect(try await broadcast.presence(of: "room").map(\.name) == ["bob"])
      }
      #expect(try await broadcast.presence(of: "room") == [])
      #expect(broadcast.statistics.presenceMembers == 0)
    }
  }

  @Test("whoever enters twice is one member, has the last info, and leaves with the last")
  func twice() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let updates = try await broadcast.presenceUpdates(of: "room")
      let first = try await broadcast.enterPresence(on: "room", as: .init("ann", info: "1"))
      let second = try await broadcast.enterPresence(on: "room", as: .init("ann", info: "2"))
      let third = try await broadcast.enterPresence(on: "room", as: .init("ann", info: "2"))
      #expect(try await broadcast.presence(of: "room") == [.init("ann", info: "2")])
      first.leave()
      first.leave()
      third.leave()
      #expect(try await broadcast.presence(of: "room") == [.init("ann", info: "2")])
      second.leave()
      var iterator = updates.makeAsyncIterator()
      #expect(
        try await read(&iterator, 4) == [
          .present([]), .joined(.init("ann", info: "1")), .changed(.init("ann", info: "2")),
          .left(.init("ann", info: "2")),
        ])
    }
  }

  @Test("an entry that is dropped has left")
  func dropped() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      do {
        let entry = try await broadcast.enterPresence(on: "room", as: .init("ann"))
        #expect(try await broadcast.presence(of: "room").count == 1)
        withExtendedLifetime(entry) {}
      }
      #expect(try await broadcast.presence(of: "room") == [])
    }
  }

  @Test("a scope that throws, or is cancelled, has left")
  func thrown() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      func isEmpty() async throws -> Bool { try await broadcast.presence(of: "room").isEmpty }
      await #expect(throws: CancellationError.self) {
        try await broadcast.withPresence(on: "room", as: "ann") { throw CancellationError() }
      }
      try await #require(isEmpty())
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          try? await broadcast.withPresence(on: "room", as: "ann") { try await Task.sleep(for: .seconds(3_600)) }
        }
        try? await settle { try await broadcast.presence(of: "room").count == 1 }
        group.cancelAll()
      }
      #expect(try await isEmpty())
      let error = await withTaskGroup(of: BroadcastError?.self) { group in
        group.cancelAll()
        group.addTask { await failure { try await broadcast.enterPresence(on: "room", as: .init("ann")) } }
        return await group.next() ?? nil
      }
      #expect(error?.code == .cancelled)
      #expect(try await isEmpty())
    }
  }

  @Test("names are bytes")
  func bytes() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let composed = try await broadcast.enterPresence(on: "room", as: .init("caf\u{E9}"))
      let decomposed = try await broadcast.enterPresence(on: "room", as: .init("cafe\u{301}"))
      #expect(try await broadcast.presence(of: "room").count == 2)
      composed.leave()
      #expect(try await broadcast.presence(of: "room") == [.init("cafe\u{301}")])
      #expect(PresenceMember("caf\u{E9}") != PresenceMember("cafe\u{301}"))
      withExtendedLifetime(decomposed) {}
    }
  }

  @Test("names and infos that break a rule are refused, and so are channels")
  func rules() async throws {
    var configuration = HubConfiguration()
    configuration.presence.maximumInfoBytes = 4
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      for member in [
        PresenceMember(""), .init("a\0b"), .init(String(repeating: "a", count: 256)), .init("a", info: "12345"),
      ] {
        let error = await failure { try await broadcast.enterPresence(on: "room", as: member) }
        #expect(error?.code == .invalidMember && error?.isRetriable == false)
      }
      let longest = PresenceMember(String(repeating: "a", count: 255), info: "1234")
      _ = try await broadcast.enterPresence(on: "room", as: longest)
      for call in [
        { _ = try await broadcast.enterPresence(on: "", as: .init("a")) },
        { _ = try await broadcast.presence(of: "") }, { _ = try await broadcast.presenceUpdates(of: "") },
      ] as [() async throws -> Void] {
        #expect(await failure { try await call() }?.code == .invalidChannel)
      }
      #expect(try await broadcast.presence(of: "room") == [])
    }
  }

  @Test("limits refuse, name themselves, and pass when somebody has left")
  func limits() async throws {
    var configuration = HubConfiguration()
    configuration.presence.maximumMembers = 2
    configuration.presence.maximumEntries = 3
    configuration.presence.maximumWatched = 1
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      let first = try await broadcast.enterPresence(on: "a", as: .init("1"))
      let second = try await broadcast.enterPresence(on: "a", as: .init("2"))
      let full = await failure { try await broadcast.enterPresence(on: "a", as: .init("3")) }
      #expect(full?.code == .presenceFull && full?.isRetriable == true)
      #expect(full?.message.contains("maximumMembers") == true)
      // Somebody who is there already takes no place.
      let again = try await broadcast.enterPresence(on: "a", as: .init("2", info: "again"))
      second.leave()
      first.leave()
      let third = try await broadcast.enterPresence(on: "a", as: .init("3"))
      let other = try await broadcast.enterPresence(on: "b", as: .init("1"))
      let entries = await failure { try await broadcast.enterPresence(on: "c", as: .init("1")) }
      #expect(entries?.message.contains("maximumEntries") == true)
      let watching = try await broadcast.presenceUpdates(of: "a")
      let sameChannel = try await broadcast.presenceUpdates(of: "a")
      #expect(broadcast.statistics.presenceWatched == 1)
      let watched = await failure { try await broadcast.presenceUpdates(of: "b") }
      #expect(watched?.code == .presenceFull && watched?.message.contains("maximumWatched") == true)
      watching.cancel()
      sameChannel.cancel()
      let next = try await broadcast.presenceUpdates(of: "b")
      withExtendedLifetime((again, third, other, next)) {}
    }
  }

  @Test("nobody can enter or look before run(), and after its end")
  func life() async throws {
    var configuration = HubConfiguration()
    configuration.startPatience = .milliseconds(1)
    let broadcast = MemoryBroadcast(configuration: configuration)
    #expect(await failure { try await broadcast.presence(of: "a") }?.code == .notRunning)
    let (entry, updates) = try await withBroadcast(broadcast) { broadcast in
      (
        try await broadcast.enterPresence(on: "a", as: .init("1")), try await broadcast.presenceUpdates(of: "a")
      )
    }
    #expect(await failure { try await broadcast.enterPresence(on: "a", as: .init("1")) }?.code == .notRunning)
    entry.leave()
    var iterator = updates.makeAsyncIterator()
    #expect(try await read(&iterator, 1) == [.present([.init("1")])])
    #expect(try await iterator.next() == nil)
  }
}

/// So many updates, the members of `.present` in the order of their names.
func read(_ iterator: inout PresenceUpdates.Iterator, _ count: Int) async throws -> [PresenceUpdate] {
  var updates: [PresenceUpdate] = []
  while updates.count < count, let update = try await iterator.next() {
    if case .present(let members) = update {
      updates.append(.present(members.sorted { $0.name < $1.name }))
    } else {
      updates.append(update)
    }
  }
  return updates
}
