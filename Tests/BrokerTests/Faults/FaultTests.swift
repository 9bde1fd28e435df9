//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

/// Every message is delivered in its order and once, or refused to its publisher, or covered by a gap, whatever happens.
@Suite("Faults", .timeLimit(.minutes(3)))
struct FaultTests {
  @Test("everybody is told the truth, and all is well soon", arguments: Fault.all, Broker.startable + Broker.histories)
  func fault(fault: Fault, broker: Broker) async throws {
    try await FaultRun.run(fault, on: broker)
  }

  @Test("the same where a channel is a topic", arguments: [Fault.flapping, .crash, .reset], Broker.topics)
  func topics(fault: Fault, broker: Broker) async throws {
    try await FaultRun.run(fault, on: broker)
  }
}
