//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import BroadcastingKafka

@Suite("Whatever happens where a partition is read")
struct ReadPositionHistoryTests {
  /// A log, the library that reads it, and what is to come of both.
  private struct History {
    var random: SeededGenerator
    var position = ReadPosition(next: 0)
    var log: Range<Int64> = 0..<0
    /// Where the library reads next; nil after an error, until it is started anew.
    var fetched: Int64? = 0
    var hasToldEnd = false
    var isStopping = false
    /// The answer to a look, until it arrives.
    var answer: (bounds: Range<Int64>, era: UInt64)?
    var era: UInt64 = 0
    /// Behind the last that was delivered.
    var expected: Int64 = 0
    var isInGap = false
    var delivered = 0
    var gaps = 0
    var lost: [Int64] = []
    var doubled: [Int64] = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func step(expires: Bool) {
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<4: log = log.lowerBound..<log.upperBound + Int64.random(in: 1...3, using: &random)
      case 4..<10: read()
      case 10, 11: suspect()
      case 12, 13: if answer == nil { answer = (log, era) }
      case 14, 15: arrive()
      case 16: if position.release() { isStopping = true }
      case 17, 18: stopped()
      default: expires && Bool.random(using: &random) ? expire() : fail()
      }
    }

    /// All that is under way comes to its end.
    mutating func settle() {
      for _ in 0..<8 {
        answer = (log, era)
        arrive()
        stopped()
        for _ in 0..<log.upperBound + 2 { read() }
      }
    }

    mutating func suspect() {
      era += 1
      position.suspect(era)
    }

    mutating func fail() {
      if Bool.random(using: &random) {
        position.rest()
      } else if position.trouble(isLasting: false) == 0 {
        return
      }
      fetched = nil
      suspect()
    }

    mutating func expire() {
      log = Int64.random(in: log.lowerBound...log.upperBound, using: &random)..<log.upperBound
    }

    mutating func arrive() {
      guard let (bounds, era) = answer else { return }
      answer = nil
      switch position.verify(bounds, era) {
      case .fine, .outdated: break
      case .recheck, .resume: isStopping = true
      case .moved, .skipped:
        isStopping = true
        gap()
      }
    }

    mutating func stopped() {
      guard isStopping else { return }
      isStopping = false
      guard let offset = position.restart() else { return }
      (fetched, hasToldEnd) = (offset, false)
    }

    mutating func read() {
      guard let offset = fetched else { return }
      if offset < log.lowerBound {
        fetched = nil
        position.rest()
        return suspect()
      }
      if offset < log.upperBound {
        (fetched, hasToldEnd) = (offset + 1, false)
        return message(offset)
      }
      guard !hasToldEnd else { return }
      hasToldEnd = true
      switch position.ended(offset) {
      case .fine: break
      case .shorter:
        isStopping = true
        gap()
      case .jumps: gap()
      }
    }

    mutating func message(_ offset: Int64) {
      var verdict = position.message(offset)
      if verdict == .jumps {
        gap()
        verdict = position.message(offset)
      }
      switch verdict {
      case .old, .jumps: break
      case .checks:
        if position.checked(Self.fingerprint(offset)) { return }
        isStopping = true
        gap()
      case .deliver:
        if offset > expected, !isInGap { lost += expected..<offset }
        if offset < expected { doubled.append(offset) }
        (expected, isInGap) = (offset + 1, false)
        delivered += 1
        position.note(Self.fingerprint(offset))
      }
    }

    mutating func gap() {
      isInGap = true
      gaps += 1
    }

    static func fingerprint(_ offset: Int64) -> Fingerprint {
      let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
      return Fingerprint(offset: offset, timestamp: 0, key: nothing, value: nothing)
    }
  }

  @Test(
    "each record is delivered once and in order, or a gap stands in its place; none does where nothing expires",
    arguments: [false, true])
  func nothingIsLost(expires: Bool) {
    var delivered = 0
    for seed in UInt64(0)..<500 {
      var history = History(seed: seed)
      for _ in 0..<200 { history.step(expires: expires) }
      history.settle()
      #expect(history.lost.isEmpty, "\(seed)")
      #expect(history.doubled.isEmpty, "\(seed)")
      if !expires { #expect(history.gaps == 0 && history.expected == history.log.upperBound, "\(seed)") }
      delivered += history.delivered
    }
    #expect(delivered > 500)
  }
}
