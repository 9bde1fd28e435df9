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

@Suite("What is said on standard error")
struct NotesTests {
  @Test("a line has the program's name, and nothing that could pass for another line")
  func line() async throws {
    let pipe = try Pipe()
    Notes(pipe.writing)("a\nbroadcast: b\u{1b}")
    pipe.closeWriting()
    #expect(try await InputReader(pipe.reading).read() == Array("broadcast: a\\nbroadcast: b\\u001b\n".utf8))
    pipe.closeReading()
  }

  @Test("when nobody reads, lines are left out and counted, and nothing waits")
  func fullPipe() async throws {
    let pipe = try Pipe()
    defer {
      pipe.closeReading()
      pipe.closeWriting()
    }
    let notes = Notes(pipe.writing)
    let line = String(repeating: "x", count: 900)
    for _ in 0..<10_000 { notes(line) }
    let reader = InputReader(pipe.reading)
    var length = 0
    var state = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
    while poll(&state, 1, 0) == 1 { length += try await reader.read().count }
    notes("again")
    let words = String(decoding: try await reader.read(), as: UTF8.self)
    #expect(
      words == "broadcast: (\(10_000 - length / 912) lines could not be written here)\nbroadcast: again\n")
  }
}
