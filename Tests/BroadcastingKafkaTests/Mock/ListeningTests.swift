//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@testable import Broadcasting
@testable import BroadcastingKafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("A listening side", .timeLimit(.minutes(1)))
struct ListeningTests {
  /// One on a loop, and what it was made of.
  // Sendable: `side` is touched on the loop alone.
  private final class Rig: @unchecked Sendable {
    let loop: EventLoop
    let asking: KafkaThread
    let watching: KafkaThread
    let stopping: KafkaThread
    let side: ListeningSide

    init(_ consumer: ConsumerHandle, _ producer: ProducerHandle, on loop: EventLoop) throws {
      self.loop = loop
      let threads = try (0..<3).map { _ in try KafkaThread(answeringOn: loop) }
      (asking, watching, stopping) = (threads[0], threads[1], threads[2])
      side = ListeningSide(
        consumer, asking: asking, watching: watching, stopping: stopping, { Inquiries(producer, consumer) },
        sharedTopic: nil, newTopics: nil, timeout: .seconds(20), maximumTopics: 10,
        ListeningSide.Session(
          inbox: DriverInbox(hub: Hub(configuration: .init()), session: 0), probeArrived: { _ in },
          probeUnreadable: { _ in }, failed: { _ in }, heard: {}, leftOut: { _ in }, clusterChanged: {},
          exhausted: { _ in }),
        on: loop)
    }

    func ask(_ kind: ListeningSide.Kind, _ channel: Channel) async -> BroadcastError? {
      await withUnsafeContinuation { continuation in
        loop.execute { [self] in side.ask(kind, channel, deadline: loop.now + .seconds(20), continuation) }
      }
    }

    func end() async {
      await withUnsafeContinuation { continuation in
        loop.execute { [self] in
          side.close(because: .ended)
          continuation.resume()
        }
      }
      for thread in [asking, watching, stopping] { thread.end() }
    }
  }

  @Test("ends the reading of a topic while it asks for others, however long that takes")
  func stopsMeanwhile() async throws {
    try await MockKafka.with { kafka in
      kafka.create("room")
      try await kafka.withProducer { producer in
        try await kafka.withConsumer { consumer in
          try await withEventLoops(count: 1) { loops in
            let rig = try Rig(consumer, producer, on: loops[0])
            #expect(await rig.ask(.subscribe, "room") == nil)
            // A question that goes on until this pipe has a byte.
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let (reading, writing) = (ends[0], ends[1])
            rig.asking.run {
              var byte: UInt8 = 0
              _ = read(reading, &byte, 1)
              close(reading)
            } then: {
            }
            let error = await rig.ask(.unsubscribe, "room")
            #expect(error == nil)
            close(writing)
            await rig.end()
          }
        }
      }
    }
  }
}
