//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

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
struct ConnectingTests {
  /// Sockets that accept nobody, and the two clients for which a backlog of one has room: the next one gets no answer
  /// (Linux).
  private func withFullBacklog(
    _ body: (EventLoop, SocketAddress) async throws -> Void
  ) async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0, backlog: 1)
      let address = sockets.addresses[0]
      for _ in 0..<2 {
        // Left open, which the loop's end deals with.
        _ = LineConnection(try await loops[0].connect(to: address, within: .seconds(10)), on: loops[0])
      }
      try await body(loops[0], address)
      withExtendedLifetime(sockets) {}
    }
  }

  @Test("nobody listens: refused, and the error names the address")
  func refused() async throws {
    let address = try await ListeningSockets.bind(host: "127.0.0.1", port: 0).addresses[0]
    try await withEventLoops(count: 1) { loops in
      let error = await #expect(throws: NetworkError.self) {
        _ = try await loops[0].connect(to: "127.0.0.1", port: address.port, within: .seconds(10)).loop
      }
      #expect(error?.code == .refused)
      #expect(error?.message.contains("\(address)") == true)
    }
  }

  @Test("nobody answers: the deadline ends it")
  func deadline() async throws {
    try await withFullBacklog { loop, address in
      let error = await #expect(throws: NetworkError.self) {
        _ = try await loop.connect(to: address, within: .milliseconds(50)).loop
      }
      #expect(error?.code == .timedOut)
    }
  }

  @Test("cancelling ends it, whether it has begun or not", arguments: [true, false])
  func cancelled(first: Bool) async throws {
    try await withFullBacklog { loop, address in
      for preference in [loop, nil] {
        let error = await withTaskGroup(of: NetworkError?.self) { group in
          group.addTask(executorPreference: preference) {
            do throws(NetworkError) {
              _ = try await loop.connect(to: address, within: .seconds(1000)).loop
              return nil
            } catch {
              return error
            }
          }
          if !first { try? await loop.sleep(for: .milliseconds(5)) }
          group.cancelAll()
          return await group.next() ?? nil
        }
        #expect(error?.code == .cancelled)
      }
    }
  }

  @Test("a name is looked up, and all of its addresses are tried")
  func names() async throws {
    // Localhost may be ::1 first, where nobody listens.
    let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
    try await withEventLoops(count: 1) { loops in
      let connection = LineConnection(
        try await loops[0].connect(to: "localhost", port: sockets.addresses[0].port, within: .seconds(10)),
        on: loops[0])
      #expect(await connection.peer == sockets.addresses[0])
      await connection.close()
    }
  }

  @Test("a name that is none is an error that names it", arguments: ["", "a\0b", "no-such-name.invalid"])
  func noName(name: String) async {
    let error = await #expect(throws: NetworkError.self) { _ = try await SocketAddress.lookUp(name, port: 1) }
    #expect([.notFound, .lookUpFailed, .invalidAddress].contains(error?.code))
  }

  @Test("a look-up ends at once when its task is cancelled")
  func cancelledLookUp() async {
    let code = await withTaskGroup(of: NetworkError.Code?.self) { group in
      group.addTask {
        withUnsafeCurrentTask { $0?.cancel() }
        do throws(NetworkError) {
          _ = try await SocketAddress.lookUp("localhost", port: 1)
          return nil
        } catch {
          return error.code
        }
      }
      return await group.next() ?? nil
    }
    #expect(code == .cancelled || code == nil)
  }

  @Test("many look-ups at once are all answered by few threads")
  func manyLookUps() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for port in 1...100 {
        group.addTask {
          let addresses = try await SocketAddress.lookUp("localhost", port: UInt16(port))
          #expect(!addresses.isEmpty && addresses.allSatisfy { $0.port == UInt16(port) && $0.isLoopback })
        }
      }
    }
  }

  @Test("a Unix socket carries bytes like any other")
  func unix() async throws {
    // Not in a folder of its own: a path of a Unix socket has room for 104 bytes on macOS.
    let path = "/tmp/broadcast-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
    let address = try #require(SocketAddress(path: path))
    defer { unlink(path) }
    let listening = Descriptor(Self.listening(path))
    try await withEventLoops(count: 1) { loops in
      let client = LineConnection(try await loops[0].connect(to: address, within: .seconds(10)), on: loops[0])
      await client.write(text("hello"))
      await client.finish()
      let accepted = Descriptor(accept(listening.number, nil, nil))
      var bytes = [UInt8](repeating: 0, count: 100)
      #expect(read(accepted.number, &bytes, 100) == 5)
      #expect(write(accepted.number, "line\n", 5) == 5)
      #expect(await client.line() == text("line"))
      await client.close()
      let missing = try #require(SocketAddress(path: path + "-none"))
      let error = await #expect(throws: NetworkError.self) {
        _ = try await loops[0].connect(to: missing, within: .seconds(10)).loop
      }
      #expect(error?.code == .notFound)
    }
  }

  private static func listening(_ path: String) -> Int32 {
    #if canImport(Darwin)
      let number = socket(AF_UNIX, SOCK_STREAM, 0)
    #else
      let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { #expect(bind(number, $0, size) == 0) }
    }
    #expect(listen(number, 5) == 0)
    return number
  }
}

struct SocketAddressTests {
  @Test("addresses in digits, and their text")
  func digits() throws {
    #expect(SocketAddress(digits: "127.0.0.1", port: 80)?.description == "127.0.0.1:80")
    #expect(SocketAddress(digits: "::1", port: 80)?.description == "[::1]:80")
    for text in ["localhost", "", "1.2.3", "127.0.0.1\0", "[::1]"] {
      #expect(SocketAddress(digits: text, port: 80) == nil)
    }
  }

  @Test("a path that the system can't take is none")
  func paths() {
    #expect(SocketAddress(path: "/tmp/a.sock")?.description == "/tmp/a.sock")
    #expect(SocketAddress(path: "") == nil)
    #expect(SocketAddress(path: "/tmp/a\0b") == nil)
    #expect(SocketAddress(path: String(repeating: "a", count: 200)) == nil)
  }
}
