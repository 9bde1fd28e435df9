//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@Suite("The ledger")
struct LedgerTests {
  @Test("what arrives in order, and once, is well")
  func well() { #expect(breaches([.published, .published, .published], "0 1 2").isEmpty) }

  @Test("a message that is lost is found, at the beginning, in the middle and at the end")
  func lost() {
    for heard in ["1 2", "0 2", "0 1", ""] {
      let breaches = breaches([.published, .published, .published], heard)
      #expect(breaches.count == 1 && breaches[0].contains("lost without a gap"))
    }
  }

  @Test("a gap covers what is missing where it stands, and nothing before the next message or behind the last")
  func gaps() {
    let all: [Ledger.Outcome] = [.published, .published, .published, .published]
    for heard in ["gap 1 2 3", "0 gap 3", "0 1 gap", "gap", "gap gap 3"] { #expect(breaches(all, heard).isEmpty) }
    for heard in ["gap 0 1 3", "0 2 gap 3", "0 gap 1 2", "gap 1 3"] { #expect(breaches(all, heard).count == 1) }
  }

  @Test("a message that comes twice is found, also behind a gap")
  func doubled() {
    for heard in ["0 0 1", "0 1 0", "0 1 gap 1"] {
      let breaches = breaches([.published, .published], heard)
      #expect(breaches.count == 1 && breaches[0].contains("twice"))
    }
  }

  @Test("two messages that change places are found, also behind a gap")
  func swapped() {
    #expect(breaches([.published, .published, .published], "0 2 1").contains { $0.contains("behind number 2") })
    #expect(breaches([.published, .published, .published], "0 gap 2 1").contains { $0.contains("behind number 2") })
  }

  @Test("what is unconfirmed may come late, and not twice")
  func late() {
    #expect(breaches([.unconfirmed, .published, .published], "1 0 2").isEmpty)
    #expect(breaches([.unconfirmed, .published, .published], "1 0 0 2").count == 1)
    #expect(breaches([.published, .unconfirmed, .published, .published], "0 gap 1 3").isEmpty)
    #expect(breaches([.published, .unconfirmed, .published, .published], "0 1 3").count == 1)
  }

  @Test("what was refused must not arrive, and what is unconfirmed may")
  func outcomes() {
    #expect(breaches([.published, .notSent, .unconfirmed, .published], "0 3").isEmpty)
    #expect(breaches([.published, .notSent, .unconfirmed, .published], "0 2 3").isEmpty)
    let breaches = breaches([.published, .notSent, .published], "0 1 2")
    #expect(breaches.count == 1 && breaches[0].contains("refused"))
  }

  @Test("what nobody published is found, and what came changed")
  func unknown() {
    #expect(breaches([.published], "0 1").count == 1)
    var ledger = Ledger()
    ledger.add(.published, to: line)
    var account = Account()
    account.add(.message(stamp(0).message))
    account.add(.message(Stamp(publisher: 8, channel: line.channel, number: 0).message))
    account.add(.message(Message("1 0", to: line.channel)))
    account.add(.message(Message((stamp(0).message.text ?? "") + "x", to: line.channel)))
    #expect(ledger.breaches(in: account).count == 3)
  }

  @Test("lines are judged each for itself, and a gap counts for all of its channel")
  func lines() {
    let other = Line(publisher: 2, channel: line.channel)
    var ledger = Ledger()
    for line in [line, other] { for _ in 0..<2 { ledger.add(.published, to: line) } }
    var account = Account()
    account.add(.message(stamp(1).message))
    account.add(.message(Stamp(publisher: 2, channel: line.channel, number: 0).message))
    #expect(ledger.breaches(in: account).count == 2)
    var covered = Account()
    covered.add(.message(Stamp(publisher: 2, channel: line.channel, number: 0).message))
    covered.add(.gap(Gap(channel: line.channel, missed: nil, reason: .connectionLost)))
    covered.add(.message(stamp(1).message))
    #expect(ledger.breaches(in: covered).isEmpty)
  }

  private let line = Line(publisher: 1, channel: "here")

  private func stamp(_ number: Int) -> Stamp { Stamp(publisher: 1, channel: line.channel, number: number) }

  private func breaches(_ outcomes: [Ledger.Outcome], _ heard: String) -> [String] {
    var ledger = Ledger()
    for outcome in outcomes { ledger.add(outcome, to: line) }
    var account = Account()
    for word in heard.split(separator: " ") {
      if let number = Int(word) {
        account.add(.message(stamp(number).message))
      } else {
        account.add(.gap(Gap(channel: line.channel, missed: nil, reason: .connectionLost)))
      }
    }
    return ledger.breaches(in: account)
  }
}
