//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Load on a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct LoadTests {
  #if TSAN
    // Each byte takes the thread sanitizer many times as long, and what it looks for is the same.
    private static let largest = 64 * 1_024
  #else
    private static let largest = 1_024 * 1_024
  #endif
  private static let largeOnes = 4
  private static let smallOnes = 100

  /// Text with characters of one to four bytes, or any bytes: another one for each publisher and number.
  private static func large(_ publisher: Int, _ number: Int) -> Message {
    let channel = Channel("large \(publisher)")
    if publisher % 2 == 0 {
      let unit = "\(publisher) \(number) é € 😀\n"
      let text = String(repeating: unit, count: largest / unit.utf8.count)
      return Message(text + String(repeating: "x", count: largest - text.utf8.count), to: channel)
    }
    var generator = SeededGenerator(seed: UInt64(publisher * 1_000 + number))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(largest)
    while bytes.count < largest { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
    return Message(bytes, to: channel)
  }

  private static func small(_ publisher: Int, _ number: Int) -> Message {
    Message("\(publisher) \(number)", to: Channel("small \(publisher)"))
  }

  @Test("messages of 1 MiB from eight tasks, and small ones beside them, all arrive whole and in their order")
  func largeBesideSmall() async throws {
    try await PostgresServer.with { server in
      var configuration = PostgresBroadcast.Configuration()
      // What is tested here is not how fast the machine is.
      configuration.publishTimeout = .seconds(50)
      configuration.subscribeTimeout = .seconds(50)
      try await withBroadcast(try PostgresBroadcast(server.url, configuration: configuration)) { broadcast in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for publisher in 0..<8 {
            for (count, make) in [(Self.largeOnes, Self.large), (Self.smallOnes, Self.small)] {
              let subscription = try await broadcast.subscribe(to: make(publisher, 0).channel)
              group.addTask {
                var deliveries = subscription.makeAsyncIterator()
                for number in 0..<count {
                  let delivery = try await deliveries.next()
                  #expect(delivery == .message(make(publisher, number)), "number \(number) of publisher \(publisher)")
                }
              }
              group.addTask {
                for number in 0..<count { try await broadcast.publish(make(publisher, number)) }
              }
            }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test(
    "while the database hangs each publish fails in its time, what waits is limited, and nothing is lost in silence")
  func waitingIsLimited() async throws {
    // 64 MiB may wait for the answer: half of these.
    let (count, size) = (2_000, 65_536)
    try await PostgresServer.with { server in
      try await withBroadcast(try PostgresBroadcast(server.url)) { broadcast in
        let subscription = try await broadcast.subscribe(to: ["a"])
        server.freeze()
        let filling = String(repeating: "x", count: size)
        let failures = try await withThrowingTaskGroup(of: (BroadcastError, Duration)?.self) { group in
          for number in 0..<count {
            let message = Message("\(number) \(filling)", to: "a")
            group.addTask {
              let start = ContinuousClock.now
              do throws(BroadcastError) { try await broadcast.publish(message) } catch {
                return (error, ContinuousClock.now - start)
              }
              return nil
            }
          }
          return try await group.reduce(into: [(BroadcastError, Duration)]()) {
            if let failure = $1 { $0.append(failure) }
          }
        }
        #expect(failures.count == count && failures.allSatisfy { $0.0.isRetriable && $0.0.outcome != nil })
        let late = failures.filter { $0.1 > .seconds(2) + .milliseconds(1_500) }
        #expect(late.isEmpty, "\(late.count) failed only after \(late.map(\.1).max() ?? .zero)")
        // The others had to wait in vain.
        let turnedAway = failures.count { $0.0.message.contains("wait for the broker's answer already") }
        #expect(turnedAway > 0 && count - turnedAway <= 64 * 1_024 * 1_024 / size)
        let unconfirmed = failures.count { $0.0.outcome == .unconfirmed }

        server.thaw()
        try await broadcast.publish("after", to: "a")
        var arrived = 0
        for try await delivery in subscription {
          guard case .message(let message) = delivery else { continue }
          if message.text == "after" { break }
          arrived += 1
        }
        #expect(arrived <= unconfirmed)
      }
    }
  }

  @Test("a password with the characters of a URL is written in percents")
  func password() async throws {
    var options = PostgresServer.Options()
    options.password = "p@ss:w/rd%41?&#ü"
    try await PostgresServer.with(options) { server in
      let url = "postgres://postgres:p%40ss%3Aw%2Frd%2541%3F%26%23%C3%BC@\(server.address)/postgres"
      try await withBroadcast(try PostgresBroadcast(url)) { broadcast in _ = try await broadcast.publish("x", to: "a") }
    }
  }

  @Test("connect_timeout is the time of an address")
  func connectTimeout() async throws {
    let silent = try SilentServer()
    var configuration = PostgresBroadcast.Configuration()
    configuration.hub.connectPatience = .zero
    configuration.connectTimeout = .seconds(50)
    let broadcast = try PostgresBroadcast(
      "postgres://127.0.0.1:\(silent.port)/x?connect_timeout=2", configuration: configuration)
    let start = ContinuousClock.now
    let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
    #expect(error?.code == .timedOut && error?.message.contains("connect_timeout") == true)
    #expect(ContinuousClock.now - start >= .seconds(2))
    withExtendedLifetime(silent) {}
  }
}
