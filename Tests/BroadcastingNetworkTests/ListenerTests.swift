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
#endif

@Suite(.timeLimit(.minutes(1)))
struct ListenerTests {
  @Test("a second server on the same port fails, and the error names the address and what to do")
  func addressInUse() async throws {
    let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0, count: 3)
    let address = sockets.addresses[0]
    let error = await #expect(throws: NetworkError.self) {
      _ = try await ListeningSockets.bind(host: "127.0.0.1", port: address.port, count: 3)
    }
    #expect(error?.code == .addressInUse)
    #expect(error?.message.contains("\(address)") == true)
    #expect(error?.message.contains("another port") == true)
  }

  @Test("an address of another machine can't be listened on")
  func foreignAddress() async {
    // RFC 5737: an address for documentation, which no machine has.
    let error = await #expect(throws: NetworkError.self) {
      _ = try await ListeningSockets.bind(host: "192.0.2.1", port: 0)
    }
    #expect(error?.code == .addressNotAvailable)
  }

  @Test("localhost is listened on under every address it has, on one port")
  func localhost() async throws {
    let sockets = try await ListeningSockets.bind(host: "localhost", port: 0, count: 2)
    #expect(Set(sockets.addresses.map(\.port)).count == 1)
    #expect(sockets.addresses.allSatisfy { $0.isLoopback })
    try await withEventLoops(count: 1) { loops in
      for address in sockets.addresses {
        let connection = LineConnection(try await loops[0].connect(to: address, within: .seconds(10)), on: loops[0])
        #expect(await connection.peer == address)
        await connection.close()
      }
    }
  }

  @Test("every loop has one listener, and no more than were bound")
  func claims() async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0, count: 2)
      _ = try Listener(sockets, on: loops[0])
      _ = try Listener(sockets, on: loops[0])
      #expect(throws: NetworkError.self) { _ = try Listener(sockets, on: loops[0]) }
    }
  }

  @Test("sockets that no loop claims leave the port")
  func unclaimed() async throws {
    let port = try await ListeningSockets.bind(host: "127.0.0.1", port: 0, count: 2).addresses[0].port
    #expect(try await ListeningSockets.bind(host: "127.0.0.1", port: port).addresses[0].port == port)
  }

  @Test("accepting ends when its task is cancelled, and can go on in another")
  func cancelled() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      for preference in [loop, nil] {
        try await withThrowingTaskGroup { group in
          group.addTask(executorPreference: preference) {
            let accepted = try await listener.accept()?.loop
            #expect(accepted == nil)
          }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
      let client = LineConnection(try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
      let last = try await listener.accept()?.loop
      #expect(last === loop)
      await client.close()
      await listener.close()
    }
  }

  @Test("close wakes who accepts, and resets what nobody took")
  func closed() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      let clients = try await [0, 1].asyncMap { _ async throws in
        LineConnection(try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
      }
      let first = try await listener.acceptConnection()
      async let next: Void = {
        // It may still get the second client before the listener closes.
        while let taken = try await listener.acceptConnection() { await taken.close() }
      }()
      await listener.close()
      try await next
      let last = try await listener.accept()?.loop
      #expect(last == nil)
      await first?.close()
      for client in clients { #expect(await client.line() == nil) }
      for client in clients { await client.close() }
    }
  }

  @Test("a connection for somebody who is cancelled at that moment goes to the next who accepts")
  func handedOn() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      // Whether the connection or the cancellation comes first is the kernel's choice, each time.
      for _ in 0..<100 {
        let cancelled = Task(executorPreference: loop) { try await listener.acceptConnection() }
        let other = Task(executorPreference: loop) { try await listener.acceptConnection() }
        async let connected = LineConnection(
          try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
        cancelled.cancel()
        let client = try await connected
        if let early = try await cancelled.value {
          await early.close()
          other.cancel()
          #expect(try await other.value == nil)
        } else {
          let taken = try #require(try await other.value)
          await taken.close()
        }
        await client.close()
      }
      await listener.close()
    }
  }

  @Test("several tasks accept until the close, also such that do not prefer the loop")
  func several() async throws {
    try await withEventLoops(count: 1) { loops in
      let loop = loops[0]
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      let closing = Progress(target: 1)
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            while let connection = try await listener.acceptConnection() { await connection.close() }
            #expect(await closing.count == 1, "nil means that the listener is closed")
          }
        }
        try await withThrowingTaskGroup { clients in
          for _ in 0..<16 {
            clients.addTask {
              for _ in 0..<20 {
                let client = LineConnection(
                  try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
                #expect(await client.line() == nil)
                await client.close()
              }
            }
          }
          try await clients.waitForAll()
        }
        await closing.step()
        await listener.close()
        try await group.waitForAll()
      }
    }
  }

  #if os(Linux)
    /// What a socket that was shut down answers to accept(2), EINVAL, no second attempt makes better.
    @Test("a failure that stays is told once, and holds up neither the loop nor a close")
    func broken() async throws {
      try await withEventLoops(count: 1) { loops in
        let loop = loops[0]
        let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
        let failures = Lock([NetworkError]())
        let listener = try Listener(sockets, on: loop) { event in
          if case .held(let error) = event { failures.withLock { $0.append(error) } }
        }
        async let accepted = listener.acceptConnection()
        try #require(shutdown(ProcessDescriptors.listening(on: sockets.addresses[0].port), Int32(SHUT_RDWR)) == 0)
        while failures.withLock({ $0.isEmpty }) { try await loop.sleep(for: .milliseconds(1)) }
        // Time for some attempts more.
        try await loop.sleep(for: .milliseconds(350))
        #expect(failures.withLock { $0.map(\.errno) } == [EINVAL])
        #expect(failures.withLock { $0.allSatisfy { !$0.isForWantOfRoom } })
        await listener.close()
        #expect(try await accepted == nil)
        await #expect(Count(loop: loop).handles == 0)
      }
    }
  #endif
}

extension Sequence {
  fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
