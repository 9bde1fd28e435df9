//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingClient

@Suite("The pool of connections")
struct ConnectionPoolTests {
  private let start = ContinuousClock.now
  private typealias Pool = ConnectionPool<Int, String>

  private func pool(_ limit: Int = 2, waiting: Int = 100) -> Pool {
    Pool(limit: limit, maximumWaiting: waiting, idleTime: .seconds(20))
  }

  /// Asks, at a second.
  private func ask(_ pool: inout Pool, _ ticket: Int, at second: Int = 0) -> (String, old: [Int]) {
    let now = start + .seconds(second)
    let (answer, old) = pool.lease(ticket, deadline: now + .seconds(10), now: now, "waiter \(ticket)")
    return switch answer {
    case .lease(.use(let connection)): ("use \(connection)", old)
    case .lease(.connect): ("connect", old)
    case .wait: ("wait", old)
    case .refuse: ("refuse", old)
    }
  }

  private func giveBack(_ pool: inout Pool, _ connection: Int?, at second: Int = 0) -> String? {
    let (next, expired) = pool.giveBack(connection, now: start + .seconds(second))
    #expect(expired.isEmpty)
    guard let (waiter, lease) = next else { return nil }
    return switch lease {
    case .use(let connection): "\(waiter) uses \(connection)"
    case .connect: "\(waiter) connects"
    }
  }

  @Test("connections are made up to the limit; then who comes waits, and is served in turn")
  func limit() {
    var pool = pool()
    #expect(ask(&pool, 1).0 == "connect")
    #expect(ask(&pool, 2).0 == "connect")
    #expect(ask(&pool, 3).0 == "wait")
    #expect(ask(&pool, 4).0 == "wait")
    #expect(giveBack(&pool, 7) == "waiter 3 uses 7")
    #expect(giveBack(&pool, nil) == "waiter 4 connects")
    #expect(pool.used == 2)
    #expect(giveBack(&pool, 7) == nil)
    #expect(giveBack(&pool, nil) == nil)
    #expect(pool.used == 0)
    #expect(pool.freeCount == 1)
  }

  @Test("the connection that was used last is used first, and old ones go")
  func age() {
    var pool = pool(3)
    for ticket in 1...3 { _ = ask(&pool, ticket) }
    _ = giveBack(&pool, 1, at: 0)
    _ = giveBack(&pool, 2, at: 5)
    _ = giveBack(&pool, 3, at: 10)
    let (answer, old) = ask(&pool, 4, at: 21)
    #expect(answer == "use 3")
    #expect(old == [1])
    let (next, rest) = ask(&pool, 5, at: 40)
    #expect(next == "connect")
    #expect(rest == [2])
  }

  @Test("who waits no longer is passed over")
  func forgets() {
    var pool = pool(1)
    for ticket in 1...4 { _ = ask(&pool, ticket) }
    #expect(pool.forget(3) == "waiter 3")
    #expect(pool.forget(3) == nil)
    #expect(giveBack(&pool, 9) == "waiter 2 uses 9")
    #expect(pool.forget(2) == nil)
    #expect(giveBack(&pool, 9) == "waiter 4 uses 9")
    #expect(pool.waitingCount == 0)
  }

  @Test("those whose time is over go, in the order in which they came")
  func expires() {
    var pool = pool(1)
    for ticket in 1...4 { _ = ask(&pool, ticket, at: ticket) }
    #expect(pool.expire(now: start + .seconds(13)) == ["waiter 2", "waiter 3"])
    #expect(pool.expire(now: start + .seconds(13)) == [])
    #expect(pool.waitingCount == 1)
    // One who asks again has less time left.
    _ = ask(&pool, 5, at: 1)
    #expect(pool.expire(now: start + .seconds(13)) == ["waiter 5"])
    #expect(giveBack(&pool, 7, at: 13) == "waiter 4 uses 7")
  }

  @Test("a connection that comes back goes to the first whose time is not over")
  func expiredAtReturn() {
    var pool = pool(1)
    for ticket in 1...4 { _ = ask(&pool, ticket, at: ticket) }
    let (next, expired) = pool.giveBack(7, now: start + .seconds(13))
    #expect(next?.waiter == "waiter 4")
    #expect(expired == ["waiter 2", "waiter 3"])
    let (nobody, last) = pool.giveBack(7, now: start + .seconds(14))
    #expect(nobody?.waiter == nil && last.isEmpty && pool.freeCount == 1 && pool.used == 0)
  }

  @Test("only so many may wait")
  func full() {
    var pool = pool(1, waiting: 2)
    #expect((1...5).map { ask(&pool, $0).0 } == ["connect", "wait", "wait", "refuse", "refuse"])
  }

  @Test("when the way is lost, all that is free goes and all who wait are told")
  func lost() {
    var pool = pool()
    for ticket in 1...2 { _ = ask(&pool, ticket) }
    _ = giveBack(&pool, 1)
    #expect(pool.takeFree() == [1])
    _ = ask(&pool, 3)
    _ = ask(&pool, 4)
    #expect(pool.takeWaiting() == ["waiter 4"])
    #expect(pool.used == 2)
    #expect(pool.freeCount == 0)
  }

  @Test("one that was opened for something else is taken where there is room")
  func adds() {
    var pool = pool(1)
    let first = pool.add(7, now: start)
    let second = pool.add(8, now: start)
    #expect(first && !second)
    #expect(ask(&pool, 1).0 == "use 7")
    #expect(ask(&pool, 2).0 == "wait")
  }

  @Test("thousands that wait are served in their order")
  func many() {
    var pool = pool(1, waiting: 5000)
    for ticket in 1...5000 { _ = ask(&pool, ticket) }
    var served: [String?] = []
    for _ in 2...5000 { served.append(giveBack(&pool, 1)) }
    let isInOrder = served == (2...5000).map { "waiter \($0) uses 1" }
    #expect(isInOrder)
    #expect(giveBack(&pool, 1) == nil)
  }
}
