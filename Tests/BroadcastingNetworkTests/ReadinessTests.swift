//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

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
struct ReadinessTests {
  private func withPipe(_ body: (EventLoop, _ read: Descriptor, _ write: Descriptor) async throws -> Void) async throws
  {
    let pipe = try Pipe()
    let (reading, writing) = (Descriptor(pipe.reading), Descriptor(pipe.writing))
    for end in [pipe.reading, pipe.writing] { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
    try await withEventLoops(count: 1) { try await body($0[0], reading, writing) }
  }

  @Test("a reader is woken when there is something to read, again and again")
  func readable() async throws {
    try await withPipe { loop, reading, writing in
      let readiness = Readiness(of: reading.number, on: loop)
      for _ in 0..<10 {
        async let ready: Void = readiness.readable()
        #expect(write(writing.number, "x", 1) == 1)
        try await ready
        var byte: UInt8 = 0
        #expect(read(reading.number, &byte, 1) == 1)
      }
      await readiness.close()
    }
  }

  @Test("a writer is woken when there is room")
  func writable() async throws {
    try await withPipe { loop, reading, writing in
      let readiness = Readiness(of: writing.number, on: loop)
      try await readiness.writable()
      var page = [UInt8](repeating: 0, count: 65536)
      while write(writing.number, page, page.count) > 0 {}
      async let ready: Void = readiness.writable()
      while read(reading.number, &page, page.count) > 0 {}
      try await ready
      await readiness.close()
    }
  }

  @Test("an error of the descriptor counts as ready")
  func error() async throws {
    let pipe = try Pipe()
    let writing = Descriptor(pipe.writing)
    let page = [UInt8](repeating: 0, count: 65536)
    try await withEventLoops(count: 1) { loops in
      let readiness = Readiness(of: writing.number, on: loops[0])
      try await readiness.writable()
      while write(writing.number, page, page.count) > 0 {}
      async let ready: Void = readiness.writable()
      pipe.closeReading()
      try await ready
      await readiness.close()
    }
  }

  @Test("a wait ends when its task is cancelled, and the others go on")
  func cancelled() async throws {
    try await withPipe { loop, reading, writing in
      let readiness = Readiness(of: reading.number, on: loop)
      async let other: Void = readiness.readable()
      for preference in [loop, nil] {
        let code = await withTaskGroup(of: NetworkError.Code?.self) { group in
          group.addTask(executorPreference: preference) {
            await Self.code { () throws(NetworkError) in try await readiness.readable() }
          }
          group.cancelAll()
          return await group.next() ?? nil
        }
        #expect(code == .cancelled)
      }
      #expect(write(writing.number, "x", 1) == 1)
      try await other
      await readiness.close()
    }
  }

  @Test("close wakes everyone, and so does the end of the loop")
  func closed() async throws {
    for byHand in [true, false] {
      let pipe = try Pipe()
      let (reading, writing) = (Descriptor(pipe.reading), Descriptor(pipe.writing))
      let loop = try EventLoop()
      try loop.start()
      let readiness = Readiness(of: reading.number, on: loop)
      async let code = Self.code { () throws(NetworkError) in try await readiness.readable() }
      if byHand { await readiness.close() }
      #expect(await loop.stop() == 0)
      #expect(await code == .closed)
      withExtendedLifetime(writing) {}
    }
  }

  @Test("a descriptor that can't be watched is an error")
  func unwatchable() async throws {
    try await withEventLoops(count: 1) { loops in
      let readiness = Readiness(of: -1, on: loops[0])
      await #expect(throws: NetworkError.self) { try await readiness.readable() }
    }
  }

  private static func code(_ body: () async throws(NetworkError) -> Void) async -> NetworkError.Code? {
    do throws(NetworkError) {
      try await body()
      return nil
    } catch {
      return error.code
    }
  }
}
