//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingRedis

@Suite("What was asked on the line that listens")
struct SubscriptionRequestsTests {
  private typealias Requests = SubscriptionRequests<String>

  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }
  private func name(_ text: String, isPattern: Bool = false) -> Requests.Subject {
    .init(name: Array(text.utf8), isPattern: isPattern)
  }

  /// What a confirmation means, as text.
  private func confirm(_ requests: inout Requests, _ kind: Requests.Kind, _ subject: Requests.Subject) -> String {
    switch requests.confirmed(kind, subject) {
    case .done(let waiter): waiter
    case .late: "late"
    case .unwanted: "unwanted"
    case .unexpected: "unexpected"
    }
  }

  @Test("answers come in the order of the requests, and each caller gets its own")
  func order() {
    var requests = Requests()
    requests.add(.subscribe, name("a"), deadline: at(10), "1")
    requests.add(.unsubscribe, name("b"), deadline: at(10), "2")
    requests.add(.subscribe, name("a", isPattern: true), deadline: at(10), "3")
    #expect(confirm(&requests, .subscribe, name("a")) == "1")
    #expect(confirm(&requests, .unsubscribe, name("b")) == "2")
    #expect(confirm(&requests, .subscribe, name("a", isPattern: true)) == "3")
    #expect(requests.isEmpty)
    #expect(requests.nextDeadline == nil)
  }

  @Test("what was not asked is unexpected")
  func unexpected() {
    var requests = Requests()
    #expect(confirm(&requests, .unsubscribe, name("a")) == "unexpected")
    requests.add(.subscribe, name("a"), deadline: at(10), "1")
    for (kind, subject) in [
      (Requests.Kind.unsubscribe, name("a")), (.subscribe, name("b")), (.subscribe, name("a", isPattern: true)),
    ] {
      #expect(confirm(&requests, kind, subject) == "unexpected")
    }
    #expect(confirm(&requests, .subscribe, name("a")) == "1")
  }

  @Test("a refusal is that of the oldest request")
  func refused() {
    var requests = Requests()
    #expect(requests.refused() == nil)
    requests.add(.subscribe, name("a"), deadline: at(10), "1")
    requests.add(.subscribe, name("b"), deadline: at(10), "2")
    let refused = requests.refused()
    #expect(refused?.subject == name("a"))
    #expect(refused?.waiter == "1")
    #expect(confirm(&requests, .subscribe, name("b")) == "2")
  }

  @Test("a subscription that is confirmed too late is undone, unless the same was asked for meanwhile")
  func late() {
    var requests = Requests()
    requests.add(.subscribe, name("a"), deadline: at(10), "1")
    requests.add(.subscribe, name("b"), deadline: at(20), "2")
    #expect(requests.nextDeadline == at(10))
    #expect(requests.expire(now: at(9)) == [])
    #expect(requests.expire(now: at(10)) == ["1"])
    #expect(requests.nextDeadline == at(20))
    #expect(requests.expire(now: at(30)) == ["2"])
    requests.add(.subscribe, name("b"), deadline: at(40), "3")
    #expect(confirm(&requests, .subscribe, name("a")) == "unwanted")
    #expect(confirm(&requests, .subscribe, name("b")) == "late")
    #expect(confirm(&requests, .subscribe, name("b")) == "3")
  }

  @Test("as many as there may be are confirmed too late, and are done with all the same")
  func manyLate() {
    let count = 20_000
    var requests = Requests()
    for number in 0..<count { requests.add(.subscribe, name("\(number)"), deadline: at(10), "\(number)") }
    #expect(requests.expire(now: at(10)).count == count)
    // Every other one has been asked for again.
    for number in stride(from: 0, to: count, by: 2) {
      requests.add(.subscribe, name("\(number)"), deadline: at(20), "again")
    }
    var meanings: [String: Int] = [:]
    for number in 0..<count { meanings[confirm(&requests, .subscribe, name("\(number)")), default: 0] += 1 }
    #expect(meanings == ["late": count / 2, "unwanted": count / 2])
    for number in stride(from: 0, to: count, by: 2) {
      #expect(confirm(&requests, .subscribe, name("\(number)")) == "again")
    }
    #expect(requests.isEmpty)
  }

  @Test("where it was given up again meanwhile, that is on its way already")
  func givenUp() {
    var requests = Requests()
    requests.add(.subscribe, name("a"), deadline: at(10), "1")
    _ = requests.expire(now: at(10))
    requests.add(.unsubscribe, name("a"), deadline: at(20), "2")
    _ = requests.expire(now: at(20))
    #expect(confirm(&requests, .subscribe, name("a")) == "late")
    #expect(confirm(&requests, .unsubscribe, name("a")) == "late")
  }

  @Test("a request that nobody waits for has no deadline")
  func nobody() {
    var requests = Requests()
    requests.add(.unsubscribe, name("a"), deadline: .distantFuture, nil)
    #expect(requests.nextDeadline == nil)
    requests.add(.subscribe, name("b"), deadline: at(10), "1")
    #expect(requests.nextDeadline == at(10))
    #expect(confirm(&requests, .unsubscribe, name("a")) == "late")
    #expect(requests.expire(now: at(10)) == ["1"])
  }

  @Test("the end gives back all who wait")
  func end() {
    var requests = Requests()
    for number in 0..<5 { requests.add(.subscribe, name("\(number)"), deadline: at(UInt64(number)), "\(number)") }
    _ = confirm(&requests, .subscribe, name("0"))
    _ = requests.expire(now: at(2))
    #expect(requests.removeAll() == ["3", "4"])
    #expect(requests.isEmpty)
  }

  @Test("many keep their order, however they come and go")
  func many() {
    var requests = Requests()
    var asked = 0
    var answered = 0
    while answered < 10_000 {
      for _ in 0..<3 {
        requests.add(.subscribe, name("\(asked)"), deadline: at(UInt64(asked)), "\(asked)")
        asked += 1
      }
      for _ in 0..<2 {
        #expect(confirm(&requests, .subscribe, name("\(answered)")) == "\(answered)")
        answered += 1
      }
      #expect(requests.nextDeadline == at(UInt64(answered)))
    }
  }
}
