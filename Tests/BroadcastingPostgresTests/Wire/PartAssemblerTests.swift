//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Putting parts together")
struct PartAssemblerTests {
  /// An assembler, and what it has told of other channels.
  private struct Bench {
    var assembler = PartAssembler()
    var broken: [Channel] = []

    init() {}

    init(maximumBytes: Int) { assembler = PartAssembler(maximumBytes: maximumBytes) }

    mutating func add(
      _ index: Int, of count: Int, total: Int, number: Int = 1, _ piece: String, from sender: Int32 = 7,
      on channel: Channel = "a"
    ) -> PartAssembler.Outcome {
      let part = Part(number: number, index: index, count: count, totalBytes: total)
      if !assembler.isContinued(by: part, from: sender, on: channel), let other = assembler.interrupt() {
        broken.append(other)
      }
      return Array(piece.utf8).withUnsafeBufferPointer { assembler.add(part, $0, from: sender, on: channel) }
    }
  }

  @Test("all parts are a whole")
  func whole() {
    var bench = Bench()
    #expect(bench.add(1, of: 3, total: 5, "ab") == .incomplete)
    #expect(bench.add(2, of: 3, total: 5, "c") == .incomplete)
    #expect(bench.add(3, of: 3, total: 5, "de") == .whole(Array("abcde".utf8)))
    #expect(bench.assembler.isEmpty && bench.broken.isEmpty)
  }

  @Test("one part alone is a whole")
  func alone() {
    var bench = Bench()
    #expect(bench.add(1, of: 1, total: 2, "ab") == .whole(Array("ab".utf8)))
    #expect(bench.assembler.isEmpty)
  }

  @Test("a part of another sender breaks it, since those of a transaction come together")
  func senders() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab", from: 1)
    #expect(bench.add(1, of: 2, total: 4, "AB", from: 2, on: "b") == .incomplete)
    #expect(bench.broken == ["a"])
    #expect(bench.add(2, of: 2, total: 4, "CD", from: 2, on: "b") == .whole(Array("ABCD".utf8)))
    #expect(bench.add(2, of: 2, total: 4, "cd", from: 1) == .broken)
    #expect(bench.assembler.isEmpty && bench.broken == ["a"])
  }

  @Test("the same part of another sender does not continue it")
  func otherSender() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab", from: 1)
    #expect(bench.add(2, of: 2, total: 4, "cd", from: 2) == .broken)
    #expect(bench.broken == ["a"])
  }

  @Test("a missing part breaks it once, and what follows is ignored")
  func missingPart() {
    var bench = Bench()
    _ = bench.add(1, of: 5, total: 5, "a")
    #expect(bench.add(3, of: 5, total: 5, "c") == .broken)
    #expect(bench.add(4, of: 5, total: 5, "d") == .ignored)
    #expect(bench.add(5, of: 5, total: 5, "e") == .ignored)
    #expect(bench.assembler.isEmpty && bench.broken.isEmpty)
  }

  @Test("without its first part it is broken once")
  func missingStart() {
    var bench = Bench()
    #expect(bench.add(2, of: 4, total: 4, "b") == .broken)
    #expect(bench.add(3, of: 4, total: 4, "c") == .ignored)
    #expect(bench.add(4, of: 4, total: 4, "d") == .ignored)
    #expect(bench.add(1, of: 1, total: 1, number: 2, "x") == .whole([0x78]))
  }

  @Test("another message of the sender breaks the one before, on the channel of that")
  func otherBegins() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab", on: "first")
    #expect(bench.add(1, of: 2, total: 4, number: 2, "cd", on: "second") == .incomplete)
    #expect(bench.broken == ["first"])
    #expect(bench.add(2, of: 2, total: 4, number: 2, "ef", on: "second") == .whole(Array("cdef".utf8)))
  }

  @Test("the middle of another message breaks both")
  func otherGoesOn() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab", on: "first")
    #expect(bench.add(2, of: 3, total: 6, number: 2, "cd", on: "second") == .broken)
    #expect(bench.broken == ["first"])
    #expect(bench.add(3, of: 3, total: 6, number: 2, "ef", on: "second") == .ignored)
  }

  @Test("something else breaks it, once")
  func interrupted() {
    var bench = Bench()
    _ = bench.add(1, of: 3, total: 4, "ab")
    #expect(bench.assembler.interrupt() == "a")
    #expect(bench.assembler.interrupt() == nil)
    #expect(bench.assembler.isEmpty)
  }

  @Test("the same number on another channel is another message")
  func otherChannel() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab", on: "first")
    #expect(bench.add(2, of: 2, total: 4, "cd", on: "second") == .broken)
    #expect(bench.broken == ["first"])
  }

  @Test("more or fewer bytes than announced break it")
  func wrongTotal() {
    var bench = Bench()
    _ = bench.add(1, of: 2, total: 4, "ab")
    #expect(bench.add(2, of: 2, total: 4, "cde") == .broken)
    _ = bench.add(1, of: 2, total: 4, number: 2, "ab")
    #expect(bench.add(2, of: 2, total: 4, number: 2, "c") == .broken)
    #expect(bench.assembler.isEmpty && bench.broken.isEmpty)
  }

  @Test("one that is too large is broken at its first part, and not kept")
  func tooLarge() {
    var bench = Bench(maximumBytes: 10)
    #expect(bench.add(1, of: 3, total: 11, "abcd") == .broken)
    #expect(bench.add(2, of: 3, total: 11, "abcd") == .ignored)
    #expect(bench.add(3, of: 3, total: 11, "abc") == .ignored)
    #expect(bench.assembler.isEmpty)
  }

  @Test("whatever comes, a whole is what was sent, and each broken message is told of", arguments: 0..<50)
  func fuzz(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var bench = Bench(maximumBytes: 50)
    var sent: [Int: String] = [:]
    for number in 1...200 {
      let sender = Int32.random(in: 1...5, using: &random)
      let pieces = (0..<Int.random(in: 1...6, using: &random)).map { "\(number):\($0) " }
      let text = pieces.joined()
      sent[number] = text
      var isComplete = true
      var ending: PartAssembler.Outcome?
      for (index, piece) in pieces.enumerated() {
        if Int.random(in: 0..<8, using: &random) == 0 {
          isComplete = false
          continue
        }
        ending = bench.add(
          index + 1, of: pieces.count, total: text.utf8.count, number: number, piece, from: sender,
          on: Channel("\(sender)"))
        if case .whole(let bytes) = ending { #expect(bytes == Array(text.utf8)) }
      }
      if isComplete, text.utf8.count <= 50 { #expect(ending == .whole(Array(text.utf8))) }
      if !isComplete, case .whole = ending { Issue.record("a message with a hole is whole") }
    }
  }
}
