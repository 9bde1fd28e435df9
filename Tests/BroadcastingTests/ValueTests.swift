//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import Broadcasting

@Suite("Values")
struct ValueTests {
  @Test("a channel is the bytes of its name")
  func channelIdentity() {
    let composed: Channel = "\u{E9}"
    let decomposed: Channel = "e\u{301}"
    #expect(composed.name == decomposed.name)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, "\u{E9}"]).count == 2)
    #expect(Channel(utf8: [0x61]) == "a")
    #expect(Channel(utf8: [0xFF]) == nil)
  }

  @Test("a channel of 255 bytes is valid, one of 256 is not, and the error names the limit")
  func channelLength() throws {
    try Channel(String(repeating: "x", count: 255)).validate()
    let error = #expect(throws: BroadcastError.self) { try Channel(String(repeating: "\u{E9}", count: 128)).validate() }
    #expect(error?.code == .invalidChannel && error?.message.contains("255") == true)
  }

  @Test("text has to be UTF-8")
  func messageText() throws {
    #expect(try Message(utf8: [0x68, 0x69], to: "a") == Message("hi", to: "a"))
    let error = #expect(throws: BroadcastError.self) { try Message(utf8: [0xFF], to: "a") }
    #expect(error?.code == .invalidText)
    #expect(Message([0x68], to: "a").text == nil)
    #expect(Message([0x68], to: "a") != Message("h", to: "a"))
  }

  @Test("a delivery is as wide as a pointer, so that buffers of them are small")
  func width() {
    #expect(MemoryLayout<Delivery>.size <= MemoryLayout<UnsafeRawPointer>.size)
  }

  @Test("an error says its code, what became of the message, and its cause")
  func errorText() {
    struct Cause: Error, CustomStringConvertible { let description = "a cause" }
    let error = BroadcastError(.timedOut, "Too late.", outcome: .unconfirmed, underlying: Cause())
    for part in ["timedOut", "Too late.", "unconfirmed", "a cause"] { #expect("\(error)".contains(part)) }
    #expect(error.with(outcome: .notSent).outcome == .unconfirmed)
  }

  @Test("limits below one are one")
  func policyLimits() {
    let policy = BufferPolicy.dropOldest(maximumMessages: 0, maximumBytes: -1)
    #expect(policy.maximumMessages == 1 && policy.maximumBytes == 1)
  }

  @Test("pauses double up to the longest, in their upper half, and begin anew")
  func backoff() {
    var random = SeededGenerator(seed: 1)
    var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(1))
    for full in [100, 200, 400, 800, 1_000, 1_000] {
      let pause = backoff.next(using: &random)
      #expect(pause >= .milliseconds(full) / 2 && pause <= .milliseconds(full))
    }
    backoff.reset()
    #expect(backoff.next(using: &random) <= .milliseconds(100))
  }

  @Test("a large message has a segment of its own, so that it is as young as it came")
  func largeSegments() {
    var log = SegmentLog<Delivery>()
    var cursor = log.makeCursor()
    log.append(.message(Message("small", to: "a")), age: 1)
    log.append(.message(Message([UInt8](repeating: 0, count: 100_000), to: "a")), age: 2)
    var ages: [Int] = []
    log.visitSegments { age, _ in ages.append(age) }
    #expect(ages == [1, 2])
    log.drop(upTo: 2, keepingLast: true)
    #expect(log.read(&cursor, limits: LogLimits(maximumMessages: 9, maximumBytes: 1_000_000))?.skip?.messages == 1)
  }

  @Test("the budget frees an eighth more than it must, the oldest first")
  func budget() {
    let budget = MemoryBudget(limit: 800)
    #expect(!budget.add(800))
    #expect(budget.add(50))
    #expect(budget.isExceeded)
    #expect(budget.ageToDrop(among: [(age: 3, bytes: 400), (age: 1, bytes: 100), (age: 2, bytes: 100)]) == 2)
    budget.add(-300)
    #expect(budget.ageToDrop(among: [(age: 1, bytes: 550)]) == nil)
    budget.add(1_000)
    #expect(budget.ageToDrop(among: [(age: 2, bytes: 1_000), (age: 1, bytes: 550), (age: 2, bytes: 1_000)]) == 1)
    #expect(budget.ageToDrop(among: [(age: 1, bytes: 1_550)]) == nil)
  }
}
