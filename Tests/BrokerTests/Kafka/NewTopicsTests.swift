//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingKafka
import TestSupport
import Testing

@Suite(
  "Topics that are new", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(3)))
struct NewTopicsTests {
  /// A broker makes them at once, and takes seconds to serve them: each partition's first record waits for its disk.
  @Test("a hundred are subscribed to at once, and what is published then arrives")
  func many() async throws {
    try await KafkaServer.with { kafka in
      var configuration = KafkaBroadcast.Configuration()
      // As long as a machine may take that is busy elsewhere.
      configuration.subscribeTimeout = .seconds(30)
      configuration.publishTimeout = .seconds(30)
      let url = kafka.url(port: kafka.port, "create.partitions=2")
      try await withBroadcast(KafkaBroadcast(url, configuration: configuration)) { broadcast in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<100 {
            group.addTask {
              let channel = Channel("new-\(number)")
              let subscription = try await broadcast.subscribe(to: channel)
              try await broadcast.publish("\(number)", to: channel)
              var deliveries = subscription.makeAsyncIterator()
              #expect(try await deliveries.next() == .message(Message("\(number)", to: channel)))
            }
          }
          try await group.waitForAll()
        }
      }
    }
  }
}
