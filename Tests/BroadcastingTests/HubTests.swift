//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Testing

@testable import Broadcasting

@Suite("Hub on memory")
struct HubTests {
  private func impatient() -> HubConfiguration {
    var configuration = HubConfiguration()
    configuration.startPatience = .milliseconds(1)
    return configuration
  }

  @Test("without run(), calls throw once they have waited long enough")
  func neverRun() async {
    let broadcast = MemoryBroadcast(configuration: impatient())
    let published = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "a") }
    #expect(published?.code == .notRunning && published?.outcome == .notSent && published?.isRetriable == true)
    let subscribed = await #expect(throws: BroadcastError.self) { try await broadcast.subscribe(to: "a") }
    #expect(subscribed?.code == .notRunning)
  }

  @Test("calls made before run() go on when it comes")
  func beforeRun() async throws {
    let broadcast = MemoryBroadcast()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let subscription = try await broadcast.subscribe(to: "a")
        try await broadcast.publish("x", to: "a")
        #expect(try await subscription.first { _ in true } != nil)
      }
      await Task.yield()
      group.addTask { try await broadcast.run() }
      try await group.next()
      group.cancelAll()
    }
  }

  @Test("a caller who waits for run() and is cancelled gets that error")
  func cancelledWait() async {
    let broadcast = MemoryBroadcast()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        let error = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "a") }
        #expect(error?.code == .cancelled && error?.outcome == .notSent)
      }
      group.cancelAll()
    }
  }

  @Test("run() is refused a second time, and after its end")
  func runTwice() async throws {
    let broadcast = MemoryBroadcast()
    try await withBroadcast(broadcast) { broadcast in
      try await broadcast.publish("x", to: "a")
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
      #expect(error?.code == .alreadyRunning)
    }
    let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
    #expect(error?.code == .notRunning)
  }

  @Test("an invalid channel is refused by publish and by subscribe", arguments: ["", "a\0b", "__broadcast.x"])
  func invalidChannel(name: String) async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      for messages in [1, 2] {
        let error = await #expect(throws: BroadcastError.self) {
          if messages == 1 {
            try await broadcast.publish("x", to: Channel(name))
          } else {
            try await broadcast.publish([Message("x", to: "a"), Message("x", to: Channel(name))])
          }
        }
        #expect(error?.code == .invalidChannel && error?.outcome == .notSent)
      }
      let error = await #expect(throws: BroadcastError.self) {
        try await broadcast.subscribe(to: ["a", Channel(name)])
      }
      #expect(error?.code == .invalidChannel)
      #expect(broadcast.statistics.subscribers == 0)
    }
  }

  @Test("a subscription needs a channel, and has at most 1,024")
  func channelCount() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let none = await #expect(throws: BroadcastError.self) { try await broadcast.subscribe(to: []) }
      #expect(none?.code == .invalidChannel)
      let many = (0..<1_025).map { Channel("\($0)") }
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.subscribe(to: many) }
      #expect(error?.code == .tooManyChannels)
      let most = try await broadcast.subscribe(to: Array(many.dropLast()))
      #expect(broadcast.statistics.channels == 1_024)
      most.cancel()
    }
  }

  @Test("a message over the limit is refused before anything of its batch is sent")
  func tooLarge() async throws {
    var configuration = HubConfiguration()
    configuration.maximumMessageBytes = 10
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      let subscription = try await broadcast.subscribe(to: "a")
      try await broadcast.publish([UInt8](repeating: 0, count: 10), to: "a")
      let error = await #expect(throws: BroadcastError.self) {
        try await broadcast.publish([Message("x", to: "a"), Message("12345678901", to: "a")])
      }
      #expect(error?.code == .messageTooLarge && error?.outcome == .notSent)
      #expect(error?.message.contains("10") == true)
      try await broadcast.publish("last", to: "a")
      var iterator = subscription.makeAsyncIterator()
      _ = try await iterator.next()
      #expect(try await texts(&iterator, 1) == ["last"])
    }
  }

  @Test("all buffers together have a limit: the oldest goes, of whichever channel, and the gap says why")
  func memoryLimit() async throws {
    var configuration = HubConfiguration()
    configuration.maximumBufferedBytes = 100_000
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      let old = try await broadcast.subscribe(to: "old")
      let new = try await broadcast.subscribe(to: "new")
      for _ in 0..<10 { try await broadcast.publish([UInt8](repeating: 0, count: 4_000), to: "old") }
      for _ in 0..<20 {
        try await broadcast.publish([UInt8](repeating: 1, count: 4_000), to: "new")
        #expect(broadcast.statistics.bytesHeld <= 100_000)
      }
      var iterator = old.makeAsyncIterator()
      #expect(try await texts(&iterator, 1) == ["gap:10:memoryLimit"])
      var other = new.makeAsyncIterator()
      #expect(try await other.next() == .message(Message([UInt8](repeating: 1, count: 4_000), to: "new")))
    }
  }

  @Test("counters count")
  func statistics() async throws {
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let one = try await broadcast.subscribe(to: "a", options: .init(buffer: .dropOldest(maximumMessages: 2)))
      let two = try await broadcast.subscribe(to: "a")
      try await broadcast.publish((0..<5).map { Message("\($0)", to: "a") })
      try await broadcast.publish("nobody", to: "b")
      var iterator = one.makeAsyncIterator()
      _ = try await texts(&iterator, 3)
      var other = two.makeAsyncIterator()
      _ = try await texts(&other, 5)
      let statistics = broadcast.statistics
      #expect(statistics.published == 6)
      #expect(statistics.delivered == 7)
      #expect(statistics.dropped == 3)
      #expect(statistics.subscribers == 2 && statistics.channels == 1)
      one.cancel()
      two.cancel()
      #expect(broadcast.statistics.delivered == 7 && broadcast.statistics.dropped == 3)
    }
  }

  @Test("drops are told when their count has doubled, not for each")
  func dropEvents() async throws {
    let counts = Lock<[Int]>([])
    let configuration = HubConfiguration { event in
      if event.kind == .dropped { counts.withLock { $0.append(event.count ?? -1) } }
    }
    try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
      let subscription = try await broadcast.subscribe(
        to: "a", options: .init(buffer: .dropOldest(maximumMessages: 1)))
      var iterator = subscription.makeAsyncIterator()
      for _ in 0..<100 {
        try await broadcast.publish("x", to: "a")
        try await broadcast.publish("y", to: "a")
        _ = try await texts(&iterator, 2)
      }
    }
    #expect(counts.withLock { $0 } == [1, 2, 4, 8, 16, 32, 64])
  }

  @Test("withBroadcast opens by URL, throws what its closure throws, and ends what it ran")
  func scope() async throws {
    struct Stop: Error {}
    await #expect(throws: Stop.self) {
      try await withBroadcast("memory://", among: [.memory]) { broadcast in
        try await broadcast.publish("x", to: "a")
        throw Stop()
      }
    }
  }

  @Test("a URL that is wrong or unknown is refused, without its password")
  func urls() throws {
    let unknown = #expect(throws: BroadcastError.self) {
      try BroadcastBackend.open("redis://user:geheim@host/1?password=geheim", among: [.memory])
    }
    #expect(unknown?.code == .unknownScheme)
    #expect(unknown?.message.contains("memory://") == true)
    for url in ["", "memory", "://x", "1x://", "memory://host", "memory:// ", "memory://user:geheim@host"] {
      let error = #expect(throws: BroadcastError.self) { try BroadcastBackend.open(url, among: [.memory]) }
      #expect(error?.code == .invalidURL)
      #expect(error?.description.contains("geheim") == false)
    }
    #expect(try BroadcastBackend.open("MEMORY://", among: [.memory]) is MemoryBroadcast)
    let url = try BackendURL("redis://user:a@b@host:1/0?x=geheim#y")
    #expect(url.description == "redis://user:***@host:1/0?***")
    #expect(try BackendURL("redis://host").description == "redis://host")
    // A password that should have been encoded looks like a port and a path.
    #expect(try BackendURL("redis://user:geh/eim@host").description == "redis://user:***")
    #expect(try BackendURL("https://host/@user").description == "https://host/@user")
  }
}
