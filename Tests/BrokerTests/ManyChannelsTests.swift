//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("Many channels", .timeLimit(.minutes(3)))
struct ManyChannelsTests {
  private static let latency = Duration.milliseconds(200)
  /// To connect, log in, prove that what is published arrives, and subscribe: a trip there and back for each step.
  private static let trips = latency * 2 * 12

  @Test(
    "10,000 channels far away are soon there again, each with a gap if something may be lost",
    arguments: Broker.startable + Broker.histories)
  func renewal(broker: Broker) async throws {
    try await broker.withProxy(isHurt: false) { server, proxy in
      let events = Events()
      try await withBroadcast(try broker.open(server.url(port: proxy.port), events)) { broadcast in
        var readers: [(channels: [Channel], deliveries: Subscription.AsyncIterator)] = []
        for hundred in 0..<100 {
          let channels = (0..<100).map { Channel("rooms/\(hundred)/\($0)") }
          readers.append((channels, try await broadcast.subscribe(to: channels).makeAsyncIterator()))
        }
        await proxy.setLatency(Self.latency)
        let start = ContinuousClock.now
        await proxy.cut()
        if broker.keepsMessages, !broker.hasHistories {
          try await wait(for: "the loss") { events.count(.connectionLost, since: start) > 0 }
          try await wait(for: "coming back", within: Promised.recovering + Self.trips) {
            broadcast.statistics.isAvailable
          }
          #expect(events.total(.resubscribed, since: start) == 0)
        } else {
          try await wait(for: "10,000 renewals", within: Promised.recovering + Self.trips) {
            events.total(.resubscribed, since: start) >= 10_000
          }
          // None was given up and asked for once more.
          #expect(events.count(.retrying, since: start) <= 1)
        }
        await proxy.setLatency(.zero)
        for reader in readers {
          let channels = reader.channels
          var deliveries = reader.deliveries
          var missing = broker.keepsMessages ? [] : Set(channels)
          while !missing.isEmpty, case .gap(let gap) = try await deliveries.next() { missing.remove(gap.channel) }
          #expect(missing.isEmpty)
          try await broadcast.publish("again", to: channels[99])
          // Where there are histories it has a position.
          let delivery = try await deliveries.next()
          guard case .message(let message) = delivery else {
            Issue.record("\(String(describing: delivery)) came in place of the message")
            continue
          }
          #expect(message.channel == channels[99] && message.text == "again")
        }
      }
    }
  }
}
