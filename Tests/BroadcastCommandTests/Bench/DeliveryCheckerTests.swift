//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The check of deliveries")
struct DeliveryCheckerTests {
  private static let size = 64

  private func payload(_ number: Int, stamp: UInt64? = nil) -> [UInt8] {
    var bytes = Payload(size: Self.size).bytes
    bytes.withUnsafeMutableBytes { _ = Marker(number: number, stamp: stamp ?? UInt64(1_000 + number)).write(to: $0) }
    return bytes
  }

  private func checker(
    subscribers: Int = 1, channels: Int = 1, connections: Int = 1, publishing count: Int = 0
  ) -> DeliveryChecker {
    var checker = DeliveryChecker(
      subscribers: subscribers, channels: channels, connections: connections, size: Self.size)
    for number in 0..<count { _ = checker.publish(at: UInt64(1_000 + number), by: number % connections) }
    return checker
  }

  private func receive(
    _ checker: inout DeliveryChecker, _ bytes: [UInt8], by subscriber: Int = 0
  ) -> DeliveryChecker.Verdict {
    bytes.withUnsafeBytes { checker.receive($0, subscriber: subscriber) }
  }

  @Test("a message is delivered once to each, and the last delivery is told")
  func right() {
    var checker = checker(subscribers: 2)
    let number = checker.publish(at: 5, by: 0)
    #expect(
      receive(&checker, payload(number, stamp: 5), by: 1) == .delivered(number: 0, stamp: 5, isLast: false))
    #expect(receive(&checker, payload(number, stamp: 5), by: 0) == .delivered(number: 0, stamp: 5, isLast: true))
    #expect(checker.counts == .init(expected: 2, delivered: 2))
  }

  @Test("a message is under way until it is answered and delivered to all, whichever is first")
  func underWay() {
    var checker = checker(publishing: 2)
    checker.answered(0)
    #expect(checker.window.unfinishedCount == 2)
    _ = receive(&checker, payload(0))
    #expect(checker.window.unfinishedCount == 1)
    _ = receive(&checker, payload(1))
    #expect(checker.window.unfinishedCount == 1)
    checker.answered(1)
    #expect(checker.window.unfinishedCount == 0)
    #expect(checker.window.first == 2)
    // A second answer, or one to a message that nobody knows, changes nothing.
    checker.answered(1)
    checker.answered(7)
    #expect(checker.window.unfinishedCount == 0)
  }

  @Test("without subscribers a message is done when it is answered")
  func nobody() {
    var checker = checker(subscribers: 0, publishing: 1)
    checker.answered(0)
    #expect(checker.window.unfinishedCount == 0)
    #expect(checker.counts.expected == 0)
  }

  @Test("a message that later ones have passed is missing")
  func lost() {
    var checker = checker(publishing: 5)
    for number in [0, 2, 4] { _ = receive(&checker, payload(number)) }
    #expect(checker.missing.count == 2)
    #expect(checker.counts == .init(expected: 5, delivered: 3))
  }

  @Test("a message that comes twice is doubled, also when it is long done")
  func doubled() {
    var checker = checker(publishing: 2)
    _ = receive(&checker, payload(0))
    #expect(receive(&checker, payload(0)) == .doubled)
    checker.answered(0)
    #expect(checker.window.first == 1)
    #expect(receive(&checker, payload(0)) == .doubled)
    #expect(checker.counts == .init(expected: 2, delivered: 1, doubled: 2))
  }

  @Test("a message that comes behind a later one of its connection is out of order, and delivered")
  func outOfOrder() {
    var checker = checker(publishing: 3)
    _ = receive(&checker, payload(2))
    #expect(receive(&checker, payload(1)) == .delivered(number: 1, stamp: 1_001, isLast: true))
    _ = receive(&checker, payload(0))
    #expect(checker.counts == .init(expected: 3, delivered: 3, outOfOrder: 2))
    #expect(checker.missing.count == 0)
    #expect(receive(&checker, payload(1)) == .doubled)
  }

  @Test("messages of different connections may come in any order")
  func connections() {
    var checker = checker(connections: 2, publishing: 4)
    for number in [1, 3, 0, 2] { _ = receive(&checker, payload(number)) }
    #expect(checker.counts == .init(expected: 4, delivered: 4))
    var other = self.checker(connections: 2, publishing: 4)
    for number in [3, 1] { _ = receive(&other, payload(number)) }
    #expect(other.counts.outOfOrder == 1)
  }

  @Test("a payload that isn't one that was published is damaged")
  func damaged() {
    var checker = checker(publishing: 2)
    var exchanged = payload(0)
    exchanged[60] ^= 1
    #expect(receive(&checker, exchanged) == .damaged)
    #expect(receive(&checker, payload(0).dropLast()) == .damaged)
    #expect(receive(&checker, payload(0) + [0]) == .damaged)
    #expect(receive(&checker, payload(0, stamp: 7)) == .damaged)
    #expect(receive(&checker, payload(2)) == .damaged)
    #expect(receive(&checker, []) == .damaged)
    #expect(receive(&checker, Array("{}".utf8)) == .damaged)
    #expect(checker.counts == .init(expected: 2, damaged: 7))
  }

  @Test("channels have their messages and subscribers in turn, and what goes astray is damaged")
  func channels() {
    var checker = checker(subscribers: 5, channels: 3, publishing: 3)
    // Channel 0 has the subscribers 0 and 3, channel 1 has 1 and 4, channel 2 has 2.
    #expect(checker.counts.expected == 5)
    #expect(receive(&checker, payload(1), by: 0) == .damaged)
    #expect(receive(&checker, payload(1), by: 4) == .delivered(number: 1, stamp: 1_001, isLast: false))
    #expect(receive(&checker, payload(2), by: 2) == .delivered(number: 2, stamp: 1_002, isLast: true))
  }

  @Test("what one connection publishes to several channels has an order in each of them alone")
  func orderByChannel() {
    var checker = checker(subscribers: 2, channels: 2, publishing: 4)
    // The messages 0 and 2 are the first and second of channel 0.
    _ = receive(&checker, payload(0), by: 0)
    _ = receive(&checker, payload(2), by: 0)
    _ = receive(&checker, payload(3), by: 1)
    #expect(checker.missing.count == 1)
  }

  @Test("a subscriber that was cut is waited for no longer, and what it has not had is lost")
  func cut() {
    var checker = checker(subscribers: 2, publishing: 3)
    for number in 0..<3 {
      checker.answered(number)
      _ = receive(&checker, payload(number), by: 0)
    }
    _ = receive(&checker, payload(0), by: 1)
    _ = receive(&checker, payload(2), by: 1)
    #expect(checker.window.unfinishedCount == 1)
    checker.cut(1)
    checker.cut(1)
    #expect(checker.window.unfinishedCount == 0)
    #expect(checker.counts == .init(expected: 6, delivered: 5))
    // Later messages do without it.
    _ = checker.publish(at: 9, by: 0)
    #expect(checker.counts.expected == 7)
  }

  @Test("the window grows with what is under way, and only with that")
  func window() {
    var checker = checker()
    for round in 0..<10_000 {
      let number = checker.publish(at: 1, by: 0)
      #expect(number == round)
      checker.answered(number)
      _ = receive(&checker, payload(number, stamp: 1))
    }
    #expect(checker.window.first == 10_000)
    for _ in 0..<500 { _ = checker.publish(at: 2, by: 0) }
    #expect(checker.window.unfinishedCount == 500)
    for number in 10_000..<10_500 {
      #expect(receive(&checker, payload(number, stamp: 2)) == .delivered(number: number, stamp: 2, isLast: true))
      checker.answered(number)
    }
    #expect(checker.window.unfinishedCount == 0)
    #expect(checker.counts == .init(expected: 10_500, delivered: 10_500))
  }

  @Test("the window is full at its limit")
  func windowLimit() {
    var window = MessageWindow()
    let entry = MessageWindow.Entry(
      head: Payload(size: 32).head(Marker(number: 0, stamp: 0)), stamp: 0, connection: 0, channel: 0, ordinal: 0,
      outstanding: 0)
    for _ in 1..<MessageWindow.limit { window.append(entry) }
    #expect(!window.isFull)
    window.append(entry)
    #expect(window.isFull)
    window.answered(0)
    #expect(!window.isFull)
  }
}

@Suite("Deliveries that are missing")
struct MissingDeliveriesTests {
  @Test("a part of a sequence is split by what comes late")
  func splitting() {
    var missing = MissingDeliveries()
    missing.add(10..<15, of: 0, for: 3)
    let wereMissing = [12, 12, 10, 14].map { missing.remove($0, of: 0, for: 3) }
    #expect(wereMissing == [true, false, true, true])
    #expect(missing.count == 2)
    #expect([11, 13].allSatisfy { missing.contains($0, of: 0, for: 3) })
    #expect([9, 10, 12, 14, 15].allSatisfy { !missing.contains($0, of: 0, for: 3) })
  }

  @Test("subscribers and connections are apart")
  func apart() {
    var missing = MissingDeliveries()
    missing.add(0..<1, of: 0, for: 0)
    #expect(!missing.contains(0, of: 1, for: 0))
    let wasMissing = missing.remove(0, of: 0, for: 1)
    #expect(!wasMissing)
    #expect(missing.count == 1)
  }

  @Test("there are no more entries than its limit, and what is missing is counted on")
  func limit() {
    var missing = MissingDeliveries()
    for index in 0..<MissingDeliveries.limit { missing.add(index * 2..<index * 2 + 1, of: 0, for: index & 1_023) }
    #expect(missing.isFull)
    missing.add(5..<9, of: 0, for: 5_000)
    #expect(!missing.contains(5, of: 0, for: 5_000))
    #expect(missing.count == MissingDeliveries.limit + 4)
  }
}
