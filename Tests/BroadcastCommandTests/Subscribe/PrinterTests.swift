//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import broadcast

@Suite("Printing a subscription", .timeLimit(.minutes(1)))
struct PrinterTests {
  /// Publishes texts, prints them with room for some, and gives back what was printed and what was noted.
  private func print(_ texts: [String], count: Int?, room: Int = 100) async throws -> (output: String, notes: String) {
    let (output, notes) = (try Pipe(), try Pipe())
    let printer = Printer(
      output: OutputWriter(output.writing), notes: Notes(notes.writing), format: .line, count: count)
    try await withBroadcast(MemoryBroadcast()) { broadcast in
      let options = SubscriptionOptions(buffer: .dropOldest(maximumMessages: room))
      try await broadcast.withSubscription(to: "a", options: options) { subscription in
        for text in texts { try await broadcast.publish(text, to: "a") }
        try await printer.print(subscription)
      }
    }
    output.closeWriting()
    notes.closeWriting()
    defer {
      output.closeReading()
      notes.closeReading()
    }
    return (try await all(of: output), try await all(of: notes))
  }

  private func all(of pipe: Pipe) async throws -> String {
    let reader = InputReader(pipe.reading)
    var bytes: [UInt8] = []
    while case let chunk = try await reader.read(), !chunk.isEmpty { bytes += chunk }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("it ends after so many messages, and all of them are written by then")
  func count() async throws {
    let (output, notes) = try await print((1...10).map(String.init), count: 7)
    #expect(output == "1\n2\n3\n4\n5\n6\n7\n")
    #expect(notes == "")
  }

  @Test("a gap is told with its count, and is no message")
  func gap() async throws {
    let (output, notes) = try await print((1...10).map(String.init), count: 2, room: 2)
    #expect(output == "9\n10\n")
    #expect(notes == "broadcast: 8 messages of a were missed: the output is read too slowly for --max-backlog\n")
  }
}
