//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import broadcast

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Standard input and output", .timeLimit(.minutes(2)))
struct StreamTests {
  // As the commands do: a write to nobody is an error and no signal.
  init() { signal(SIGPIPE, SIG_IGN) }

  @Test("what is written arrives in order, and nothing of it waits without limit")
  func orderAndLimit() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeReading()
      pipe.closeWriting()
    }
    let (writer, reader) = (OutputWriter(pipe.writing), InputReader(pipe.reading))
    let chunk = 10_000
    let total = 4_000_000
    var read = 0
    async let writing: Void = {
      for start in stride(from: 0, to: total, by: chunk) {
        try await writer.write((start..<start + chunk).map { UInt8(truncatingIfNeeded: $0 / 7) })
      }
      try await writer.flush()
    }()
    while read < total {
      let bytes = try await reader.read()
      #expect(bytes.elementsEqual((read..<read + bytes.count).lazy.map { UInt8(truncatingIfNeeded: $0 / 7) }))
      read += bytes.count
    }
    try await writing
    #expect(read == total)
  }

  @Test("a writer whose reader stops is told to wait, and can be cancelled there")
  func stoppedReader() async throws {
    let pipe = try Pipe()
    defer { pipe.closeWriting() }
    let writer = OutputWriter(pipe.writing)
    let written = try await withThrowingTaskGroup(of: Int.self) { group in
      group.addTask {
        var count = 0
        do throws(StreamFailure) {
          while count < 100 << 20 {
            try await writer.write([UInt8](repeating: 1, count: 10_000))
            count += 10_000
          }
        } catch {
          #expect(error.code == .cancelled)
        }
        return count
      }
      while !writer.hasWaiter { await Task.yield() }
      group.cancelAll()
      return try await group.next() ?? 0
    }
    pipe.closeReading()
    // Its thread has to let go of the descriptor before somebody else gets the number.
    await #expect(throws: StreamFailure.closed) { try await writer.flush() }
    // What waits, what the thread writes, and what the pipe holds.
    #expect(written <= 2 * OutputWriter.maxWaiting + (1 << 20))
  }

  @Test("a reader that goes is noticed while nothing is written, and by the next write")
  func closedReader() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeWriting()
    }
    let writer = OutputWriter(pipe.writing)
    async let failure = writer.closed()
    pipe.closeReading()
    #expect(await failure == .closed)
    await #expect(throws: StreamFailure.closed) { try await writer.write([1]) }
    let other = OutputWriter(pipe.writing)
    await #expect(throws: StreamFailure.closed) {
      try await other.write([1])
      try await other.flush()
    }
  }

  @Test("who waits for the reader's end can be cancelled")
  func cancelledWatch() async throws {
    let pipe = try Pipe()
    defer { pipe.closeWriting() }
    weak var watched: OutputWriter?
    await withTaskGroup(of: StreamFailure?.self) { group in
      let writer = OutputWriter(pipe.writing)
      watched = writer
      group.addTask { await writer.closed() }
      while !writer.hasWaiter { await Task.yield() }
      group.cancelAll()
      for await failure in group { #expect(failure == nil) }
    }
    pipe.closeReading()
    // Its thread, which holds the writer, may not even have begun. It must be through before the descriptor's number is
    // somebody else's: what poll(2) waits for stays open, whoever closes it.
    while watched != nil { await Task.yield() }
  }

  #if os(Linux)
    @Test("a full disk is an error with the system's words")
    func fullDisk() async throws {
      let descriptor = open("/dev/full", O_WRONLY)
      defer { close(descriptor) }
      let writer = OutputWriter(descriptor)
      let error = try await #require(throws: StreamFailure.self) {
        try await writer.write([1])
        try await writer.flush()
      }
      #expect(error.code == .system)
      #expect(error.message == "standard output can't be written: No space left on device")
    }
  #endif

  @Test("reading gives what is there, and then the end")
  func reads() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeReading()
    }
    let reader = InputReader(pipe.reading)
    #expect(write(pipe.writing, "abc", 3) == 3)
    #expect(try await reader.read() == Array("abc".utf8))
    pipe.closeWriting()
    #expect(try await reader.read() == [])
    #expect(try await reader.read() == [])
  }

  @Test("descriptors that somebody else made non-blocking are waited for all the same")
  func nonBlocking() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeReading()
      pipe.closeWriting()
    }
    for end in [pipe.reading, pipe.writing] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    let (writer, reader) = (OutputWriter(pipe.writing), InputReader(pipe.reading))
    let bytes = [UInt8](repeating: 7, count: 300_000)
    async let writing: Void = {
      try await writer.write(bytes)
      try await writer.flush()
    }()
    var count = 0
    while count < bytes.count { count += try await reader.read().count }
    try await writing
  }

  @Test("a read can be cancelled, and what can't be read is an error")
  func readingFails() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeReading()
      pipe.closeWriting()
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await #expect(throws: StreamFailure.cancelled) { try await InputReader(pipe.reading).read() }
      }
      group.cancelAll()
    }
    // Its thread reads on. It must be through before the descriptor's number is somebody else's, whose bytes it would take.
    #expect(write(pipe.writing, "x", 1) == 1)
    var state = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
    while poll(&state, 1, 0) == 1 { await Task.yield() }
    let folder = open("/", O_RDONLY)
    defer { close(folder) }
    let error = try await #require(throws: StreamFailure.self) { try await InputReader(folder).read() }
    #expect(error.message == "standard input can't be read: Is a directory")
  }
}
