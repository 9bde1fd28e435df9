//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

/// Every suite runs on the brokers that there are. What is left out for want of one is counted here, as skipped.
@Suite("Brokers to test on", .timeLimit(.minutes(1)))
struct AbsenceTests {
  @Test(
    "there is a Redis",
    .enabled(
      if: Broker.redis.isStartable, "Redis is missing, and with it a third of these tests: apt-get install redis-server"
    ))
  func redis() async throws { try await Broker.redis.withServer { _ in } }

  @Test(
    "there is a PostgreSQL",
    .enabled(
      if: Broker.postgres.isStartable,
      "PostgreSQL is missing, and with it a third of these tests: apt-get install postgresql"))
  func postgres() async throws { try await Broker.postgres.withServer { _ in } }

  @Test(
    "there is a Kafka",
    .enabled(
      if: Broker.kafka.isStartable,
      "Kafka is missing, and with it a third of these tests: unpack https://kafka.apache.org/downloads, and set KAFKA_HOME"
    ))
  func kafka() async throws { try await Broker.kafka.withServer(isHurt: false) { _ in } }
}
