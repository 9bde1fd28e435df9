//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

/// One fault, from the quiet before to all being well again.
///
/// Two publishers number their messages. One subscriber shares the line which fails with them. Another, the witness, has
/// a way of its own: what it gets tells what the server had.
struct FaultRun {
  private static let channels: [Channel] = ["news", "Weather; \"today\"", "ключ", "4"]
  /// Each is a topic, and nobody else's on a server of all tests.
  private static func plainChannels() -> [Channel] {
    let run = UInt32.random(in: 0 ... .max)
    return ["news", "Weather", "a_key", "4"].map { Channel("\($0).\(run)") }
  }

  private static func asked(_ round: Int) -> Channel { Channel("asked \(round)") }
  /// Where each is a topic, which is made and stays, some have to do.
  private static func askedPlainly(_ round: Int) -> Channel { Channel("asked-\(round % 4)") }

  private let channels: [Channel]
  let server: any BrokerServer
  let proxy: FaultyProxy
  let events = Events()
  private let witnessEvents = Events()
  private let publishers: [NumberingPublisher]
  private let subscriber: RecordingSubscriber
  private let witness: RecordingSubscriber
  private let broadcasts: [any Broadcast]
  private let start = ContinuousClock.now

  /// Runs `fault` on a broker, and finds out whether everybody was told the truth.
  static func run(_ fault: Fault, on broker: Broker) async throws {
    try await broker.withProxy(isHurt: fault.reachesServer) { server, proxy in
      try await FaultRun(server, proxy, broker).run(fault, broker)
    }
  }

  private init(_ server: any BrokerServer, _ proxy: FaultyProxy, _ broker: Broker) throws {
    self.server = server
    self.proxy = proxy
    let events = events
    let url = server.url(port: proxy.port)
    broadcasts =
      try (0..<3).map { _ in try broker.open(url, events) }
      + [try broker.open(server.witnessURL, witnessEvents)]
    let channels = broker.takesAnyName ? Self.channels : Self.plainChannels()
    self.channels = channels
    publishers = [0, 1].map { [broadcasts] in NumberingPublisher($0, on: channels, of: broadcasts[$0]) }
    subscriber = RecordingSubscriber(of: broadcasts[2], askingFor: broker.takesAnyName ? Self.asked : Self.askedPlainly)
    witness = RecordingSubscriber(of: broadcasts[3], askingFor: broker.takesAnyName ? Self.asked : Self.askedPlainly)
  }

  // MARK: What a fault may wait for

  /// All that is published from now on comes to everybody, and whoever wants can subscribe.
  func allIsWell(within limit: Duration) async throws {
    let start = ContinuousClock.now
    let marks = publishers.reduce(into: [:]) { $0.merge($1.marks) { $1 } }
    do {
      try await wait(for: "being well again", within: limit) {
        subscriber.hasHeard(all: marks) && witness.hasHeard(all: marks) && subscriber.couldSubscribe(since: start)
      }
    } catch let late as TooLate {
      throw TooLate(
        description: """
          \(late) (the subscriber hears: \(subscriber.hasHeard(all: marks)), the witness hears: \
          \(witness.hasHeard(all: marks)), subscribing works: \(subscriber.couldSubscribe(since: start)), \
          after \(subscriber.failedCalls) failures)
          """)
    }
  }

  /// Everybody on the line knows that it is gone.
  func isNoticed(since start: ContinuousClock.Instant, within limit: Duration) async throws {
    try await wait(for: "noticing", within: limit) {
      broadcasts[..<3].allSatisfy { !$0.statistics.isAvailable } || events.count(.connectionLost, since: start) >= 3
    }
  }

  // MARK: The course of it

  private func run(_ fault: Fault, _ broker: Broker) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for broadcast in broadcasts {
        group.addTask {
          do { try await broadcast.run() } catch let error as BroadcastError where error.code == .cancelled {}
        }
      }
      do {
        try await play(fault, broker)
      } catch {
        Issue.record("\(error)\nEvents:\n\(events.transcript(since: start))")
      }
      judge(fault, broker)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private func play(_ fault: Fault, _ broker: Broker) async throws {
    let subscriptions = [
      try await broadcasts[2].subscribe(to: channels), try await broadcasts[3].subscribe(to: channels),
    ]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (subscriber, subscription) in zip([subscriber, witness], subscriptions) {
        group.addTask { try await subscriber.record(subscription) }
      }
      group.addTask { await subscriber.keepAsking() }
      try await withThrowingTaskGroup(of: Void.self) { publishing in
        for publisher in publishers { publishing.addTask { await publisher.run() } }
        defer { for publisher in publishers { publisher.end() } }
        try await allIsWell(within: .seconds(20))
        try await fault.happen(self, broker)
        try await allIsWell(within: Promised.recovering)
      }
      // The last of what was published is on its way.
      let ends = publishers.reduce(into: [:]) { $0.merge($1.lastPublished) { $1 } }
      try await wait(for: "the end", within: .seconds(10)) {
        subscriber.hasHeard(all: ends) && witness.hasHeard(all: ends)
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private func judge(_ fault: Fault, _ broker: Broker) {
    var ledger = Ledger()
    for publisher in publishers { ledger.merge(publisher.ledger) }
    var complaints = publishers.flatMap(\.complaints) + subscriber.complaints
    complaints += ledger.breaches(in: subscriber.account).map { "subscriber: \($0)" }
    complaints += ledger.breaches(in: witness.account).map { "witness: \($0)" }
    let keepsMessages = broker.keepsMessages && !(fault.restartsServer && broker.hasHistories)
    for channel in channels {
      let gaps = (subscriber.account.gaps(on: channel).count, witness.account.gaps(on: channel).count)
      let mayLose = fault.isLossy && !keepsMessages
      if !mayLose, gaps.0 > 0 { complaints.append("a gap on \(channel), and nothing was lost") }
      if mayLose, fault.cutsSubscriber, gaps.0 == 0 {
        complaints.append("no gap on \(channel) after a lost connection")
      }
      if !fault.reachesServer || keepsMessages, gaps.1 > 0 {
        complaints.append("a gap for the witness on \(channel)")
      }
    }
    if !fault.isLossy, ledger.count(.published) < ledger.count { complaints.append("refused publishes, and no reason") }
    if !complaints.isEmpty {
      Issue.record(
        """
        \(complaints.count) complaints; \(ledger)
        \(complaints.prefix(20).joined(separator: "\n"))
        Events:
        \(events.transcript(since: start))
        """)
    }
  }
}
