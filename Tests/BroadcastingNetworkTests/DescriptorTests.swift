//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite(.timeLimit(.minutes(1)))
struct DescriptorTests {
  @Test("the soft limit becomes the hard one")
  func raise() async {
    await #expect(processExitsWith: .success) {
      ProcessDescriptors.limit(to: 128)
      let raised = DescriptorLimit.raise()
      #expect(raised > 128)
      #expect(DescriptorLimit.raise() == raised)
      exit(raised > 128 ? 0 : 1)
    }
  }

  /// In a process of its own, for the limit binds the whole process.
  @Test("descriptors used up: accepting is held and told once, and goes on when some are free")
  func exhausted() async {
    await #expect(processExitsWith: .success) {
      try await withEventLoops(count: 1) { loops in
        let loop = loops[0]
        let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
        let events = Events()
        let listener = try Listener(sockets, on: loop) { events.add($0) }
        let client = LineConnection(try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
        var spare: [Descriptor] = []
        ProcessDescriptors.limit(to: 128)
        while case let number = dup(0), number >= 0 { spare.append(Descriptor(number)) }
        async let accepted = listener.acceptConnection()
        while events.held == 0 { try await loop.sleep(for: .milliseconds(1)) }
        // Time for some attempts more.
        try await loop.sleep(for: .milliseconds(350))
        guard events.held == 1, events.resumed == 0 else { exit(2) }
        spare = []
        guard let server = try await accepted else { exit(3) }
        guard events.held == 1, events.resumed == 1 else { exit(4) }
        await server.write(text("hello\n"))
        guard await client.line() == text("hello") else { exit(5) }
        await server.close()
        await client.close()
        await listener.close()
      }
      exit(0)
    }
  }

  @Test("the last descriptor taken, and freed again: accepting goes on, and it is told though no client comes")
  func exhaustedAndQuiet() async {
    await #expect(processExitsWith: .success) {
      try await withEventLoops(count: 1) { loops in
        let loop = loops[0]
        let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
        let events = Events()
        let listener = try Listener(sockets, on: loop) { events.add($0) }
        let client = LineConnection(try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
        var spare: [Descriptor] = []
        ProcessDescriptors.limit(to: 128)
        while case let number = dup(0), number >= 0 { spare.append(Descriptor(number)) }
        // One for the client, and none for a look behind it.
        spare.removeLast()
        guard let server = try await listener.acceptConnection() else { exit(2) }
        while events.held == 0 { try await loop.sleep(for: .milliseconds(1)) }
        // Time for some attempts more.
        try await loop.sleep(for: .milliseconds(350))
        guard events.held == 1, events.resumed == 0 else { exit(3) }
        spare = []
        for _ in 0..<5000 where events.resumed == 0 { try await loop.sleep(for: .milliseconds(1)) }
        guard events.held == 1, events.resumed == 1 else { exit(4) }
        await server.close()
        await client.close()
        await listener.close()
      }
      exit(0)
    }
  }

  private final class Events: Sendable {
    private let counts = Lock((held: 0, resumed: 0))
    var held: Int { counts.withLock { $0.held } }
    var resumed: Int { counts.withLock { $0.resumed } }

    func add(_ event: ListenerEvent) {
      counts.withLock { counts in
        switch event {
        case .held: counts.held += 1
        case .resumed: counts.resumed += 1
        }
      }
    }
  }
}
