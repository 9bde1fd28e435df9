//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingKafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The end of a handle", .timeLimit(.minutes(1)))
struct ClosingTests {
  /// A producer and a consumer in the middle of their work.
  private static func close(_ kafka: MockKafka, whileDown: Bool) async throws {
    try await kafka.withProducer { producer in
      try await kafka.withConsumer { consumer in
        let topic = try producer.topic("t")
        try consumer.start(consumer.topic("t", slot: 0), partition: 0, at: 0)
        let messages = (0..<500).map { Message("\($0)", to: "t", headers: [.init("n", "\($0)")]) }
        if whileDown { kafka.takeDown() }
        _ = producer.produce(messages[...], to: topic, token: 1)
        if !whileDown { try await settle { !producer.take().isEmpty || !consumer.take().records.isEmpty } }
        _ = producer.produce(messages[...], to: topic, token: 2)
      }
    }
  }

  private static func round(whileDown: Bool) async throws {
    try await MockKafka.with { kafka in
      kafka.create("t")
      try await close(kafka, whileDown: whileDown)
    }
  }

  @Test("under load, and without a broker, threads and descriptors are given back", arguments: [false, true])
  func givesBack(whileDown: Bool) async throws {
    // The count of a process is that of all its tests.
    await #expect(processExitsWith: .success) { [whileDown] in
      // The first opens what stays.
      try await Self.round(whileDown: whileDown)
      let descriptors = ProcessDescriptors.count
      for _ in 0..<10 { try await Self.round(whileDown: whileDown) }
      // Nothing of the library is left: its threads have been waited for.
      guard LibraryThreads.count == 0 else { exit(2) }
      // The pool of threads may have opened some for itself. A leak would be one of a round at least.
      guard ProcessDescriptors.count < descriptors + 10 else { exit(3) }
    }
  }

  @Test("a call that is under way puts the end off")
  func underWay() async throws {
    try await MockKafka.with { kafka in
      kafka.takeDown()
      try await kafka.withProducer { producer in
        async let answer = blocking { Inquiries(producer, nil).topics(["t"], until: .now + .milliseconds(500)) }
        // Whether it has begun by then or not: both are safe.
        await blocking { producer.destroy() }
        guard case .failure = try #require(await answer["t"]) else {
          Issue.record("there is an answer without a broker")
          return
        }
      }
    }
  }
}
