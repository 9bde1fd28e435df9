//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

struct Shape: Hashable, Sendable {
  var subscribers: Int
  /// Messages that are published in a row, before the publisher waits until all subscribers have them.
  var burst: Int
}

/// What one run of one contender cost, per delivery.
struct Sample: Sendable {
  var cpuNanoseconds: Double
  var wallNanoseconds: Double
}

enum ContenderKind: String, CaseIterable, Sendable {
  case batches = "ours, in batches"
  case elements = "ours, single"
  case streams = "AsyncStream each"

  func measure(_ shape: Shape, deliveries: Int) async throws -> Sample {
    switch self {
    case .batches: try await run(Batches.self, shape, deliveries: deliveries)
    case .elements: try await run(Elements.self, shape, deliveries: deliveries)
    case .streams: try await run(Streams.self, shape, deliveries: deliveries)
    }
  }
}

private func run<C: Contender>(_: C.Type, _ shape: Shape, deliveries: Int) async throws -> Sample {
  let bursts = max(10, deliveries / (shape.subscribers * shape.burst))
  let count = bursts * shape.burst
  let message = Message(String(repeating: "x", count: 128), to: "events")
  let subscribed = Countdown(shape.subscribers)
  let received = Countdown(shape.subscribers)
  var sample = Sample(cpuNanoseconds: 0, wallNanoseconds: 0)

  try await C.withContender { contender in
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<shape.subscribers {
        group.addTask {
          var taken = 0
          try await contender.receive(
            count, ready: { subscribed.arrive() },
            took: { messages in
              let before = taken / shape.burst
              taken += messages
              for _ in before..<taken / shape.burst { received.arrive() }
            })
        }
      }
      await subscribed.wait()
      let cpu = Clock.cpu()
      let start = ContinuousClock.now
      for _ in 0..<bursts {
        for _ in 0..<shape.burst { try await contender.publish(message) }
        await received.wait()
      }
      let total = Double(count * shape.subscribers)
      sample.wallNanoseconds = (ContinuousClock.now - start) / .nanoseconds(1) / total
      sample.cpuNanoseconds = Double(Clock.cpu() - cpu) / total
      try await group.waitForAll()
    }
  }
  return sample
}
