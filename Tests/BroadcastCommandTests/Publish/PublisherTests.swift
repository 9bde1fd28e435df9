//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import broadcast

@Suite("Publishing lines", .timeLimit(.minutes(1)))
struct PublisherTests {
  private let refusal = BroadcastError(.refused, "no", outcome: .notSent)
  private let away = BroadcastError(.unavailable, "away", isRetriable: true, outcome: .notSent)
  private let unsure = BroadcastError(.unavailable, "unsure", isRetriable: true, outcome: .unconfirmed)

  private func publisher(_ broadcast: ScriptedBroadcast, retries: Bool = false, limit: Int = 100) -> Publisher {
    Publisher(broadcast, to: "a", retries: retries, limit: limit)
  }

  /// Gives the pieces one after the other, and then the end.
  private func reader(_ pieces: String...) -> () async throws(StreamFailure) -> [UInt8] {
    var rest = pieces[...]
    return { () throws(StreamFailure) in rest.popFirst().map { Array($0.utf8) } ?? [] }
  }

  @Test("each line is a message, in order")
  func lines() async throws {
    let broadcast = ScriptedBroadcast()
    let publisher = publisher(broadcast)
    try await publisher.publishLines(reader("a\nb", "c\n\nd\r\n", "last"))
    #expect(broadcast.published == ["a", "bc", "", "d\r", "last"])
    #expect(publisher.progress.sent == 5)
  }

  @Test("nothing is read while a message is on its way")
  func readsLate() async throws {
    let broadcast = ScriptedBroadcast(failures: [2: refusal])
    var reads = 0
    await #expect(throws: BroadcastError.self) {
      try await publisher(broadcast).publishLines { () throws(StreamFailure) in
        reads += 1
        return Array("line\n".utf8)
      }
    }
    #expect(reads == 2)
  }

  @Test("a failure ends it, and says what became of which line")
  func failure() async throws {
    for (error, report) in [
      (refusal, "lines 1 to 2 were sent, nothing from line 3 on was sent"),
      (away, "lines 1 to 2 were sent, nothing from line 3 on was sent"),
      (unsure, "lines 1 to 2 were sent, line 3 may have arrived, nothing from line 4 on was sent"),
    ] {
      let broadcast = ScriptedBroadcast(failures: [3: error])
      let publisher = publisher(broadcast)
      await #expect(throws: BroadcastError.self) { try await publisher.publishLines(reader("1\n2\n3\n4\n")) }
      #expect(broadcast.published == ["1", "2"])
      #expect(publisher.progress.report == report)
    }
  }

  @Test("with retrying a message is tried until it arrives, and the order stays")
  func retries() async throws {
    let broadcast = ScriptedBroadcast(failures: [2: away, 3: unsure])
    try await publisher(broadcast, retries: true).publishLines(reader("1\n2\n3\n"))
    #expect(broadcast.published == ["1", "2", "3"])
  }

  @Test("what will not change is not tried again, and an attempt that may have arrived is not forgotten")
  func refusedRetry() async throws {
    let broadcast = ScriptedBroadcast(failures: [1: unsure, 2: refusal])
    let publisher = publisher(broadcast, retries: true)
    await #expect(throws: BroadcastError.self) { try await publisher.publishLines(reader("1\n2\n")) }
    #expect(broadcast.published == [])
    #expect(publisher.progress.report == "line 1 may have arrived, nothing from line 2 on was sent")
  }

  @Test("a line that is no UTF-8 or too long ends it, named by its number")
  func badLines() async throws {
    let broadcast = ScriptedBroadcast()
    var pieces = [Array("ok\n".utf8), [0xff, 0x0a]][...]
    let notText = try await #require(throws: Failure.self) {
      try await publisher(broadcast).publishLines { () throws(StreamFailure) in pieces.popFirst() ?? [] }
    }
    #expect(notText == Failure("line 2 is not UTF-8; --binary sends any bytes", .inputFailed))
    let tooLong = try await #require(throws: Failure.self) {
      try await publisher(broadcast, limit: 3).publishLines(reader("abc\nabcd\n"))
    }
    #expect(tooLong == Failure("line 2 has more than 3 bytes, which is the limit of --max-message", .refused))
    #expect(broadcast.published == ["ok", "abc"])
  }

  @Test("all bytes are one binary message")
  func binary() async throws {
    let broadcast = ScriptedBroadcast()
    try await publisher(broadcast).publishBytes(reader("a\n", "b"))
    try await publisher(broadcast).publishBytes(reader())
    #expect(broadcast.published == ["binary \(Array("a\nb".utf8))", "binary []"])
    let failure = try await #require(throws: Failure.self) {
      try await publisher(broadcast, limit: 3).publishBytes(reader("abc", "d"))
    }
    #expect(failure.exitCode == .refused)
    #expect(broadcast.published.count == 2)
  }

  @Test("input that can't be read is an error of its own")
  func brokenInput() async throws {
    let failure = try await #require(throws: Failure.self) {
      try await publisher(ScriptedBroadcast()).publishLines { () throws(StreamFailure) in
        throw .system("standard input can't be read", errno: 5)
      }
    }
    #expect(failure.exitCode == .inputFailed)
  }
}
