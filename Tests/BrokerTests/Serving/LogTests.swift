//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("The log of a server whose broker is away", .timeLimit(.minutes(1)))
struct BrokerLogTests {
  private enum Trouble { case broker, requests }

  /// What a line is about; nil for what happens once.
  private static func trouble(of line: String) -> Trouble? {
    switch line.split(separator: " ").dropFirst(2).first {
    case "broker-failed": .requests
    case "broker-retrying", "broker-connected", "broker-connectionLost", "broker-refused", "broker-resubscribed":
      .broker
    default: nil
    }
  }

  @Test(
    "it has at most a line a second about one trouble, whatever happens in it, and says how many it left out",
    .enabled(if: Broker.redis.isStartable && Tool.curl.isWanted, "Redis or curl is missing"))
  func rate() async throws {
    try await Broker.redis.withProxy { brokerServer, proxy in
      let start = ContinuousClock.now
      let server = try await ServerProcess([brokerServer.url(port: proxy.port)])
      let pushed = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask {
          var pushed = 0
          while !Task.isCancelled {
            pushed += 1
            // It fails when it is cancelled.
            _ = try? await Curl.push(#"{"message": 1}"#, to: server.url)
          }
          return pushed
        }
        // It is away, and then there and gone again and again.
        await proxy.refuse()
        await proxy.cut()
        try await Task.sleep(for: .seconds(4))
        try await proxy.listenAgain()
        try await proxy.flap(every: .milliseconds(150), times: 25)
        group.cancelAll()
        return try await group.next() ?? 0
      }
      try await wait(for: "being well again", within: Promised.recovering) {
        try await Curl.push(#"{"message": 2}"#, to: server.url).status == 200
      }
      #expect(try await server.stop() == .code(0))
      let lines = Dictionary(grouping: server.log, by: Self.trouble)
      // One in each second, also in those at both ends, and what was kept for the end.
      let most = Int((ContinuousClock.now - start).components.seconds) + 3
      for trouble: Trouble in [.broker, .requests] {
        let lines = lines[trouble, default: []]
        #expect(lines.count >= 3 && lines.count <= most)
        #expect(lines.contains { $0.contains(" left-out=") })
        // A line has the time at which it happened, not that at which it was written: of three, two were written a second
        // apart, and the third happened after that.
        let seconds = Dictionary(grouping: lines) { $0.prefix("2026-01-31T08:30:00".count) }
        #expect(seconds.allSatisfy { $0.value.count <= 2 }, "\(lines.joined(separator: "\n"))")
      }
      // Each push that failed was a trouble, and had no line of its own.
      #expect(pushed > lines[.requests, default: []].count)
    }
  }
}
