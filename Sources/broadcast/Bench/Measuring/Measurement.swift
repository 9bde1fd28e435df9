//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What was measured between the first measured message and the last delivery.
struct Measurement: Sendable {
  /// Of each delivery.
  private(set) var latency = Histogram()
  /// Of the last delivery of each message.
  private(set) var lastDelivery = Histogram()
  /// Of the answer to each message.
  private(set) var answer = Histogram()
  /// How many messages were published.
  private(set) var messages = 0
  private(set) var nanoseconds: UInt64 = 0
  /// What this process used meanwhile.
  private(set) var ownCPU: UInt64 = 0

  private var startedAt: UInt64 = 0
  private var cpuAtStart: UInt64 = 0

  var deliveries: Int { Int(latency.count) }

  /// - Parameter cpu: what this process has used so far, in nanoseconds.
  mutating func start(at now: UInt64, cpu: UInt64) {
    startedAt = now
    cpuAtStart = cpu
  }

  mutating func delivered(after nanoseconds: UInt64, isLast: Bool) {
    latency.add(nanoseconds)
    if isLast { lastDelivery.add(nanoseconds) }
  }

  mutating func answered(after nanoseconds: UInt64) { answer.add(nanoseconds) }

  mutating func end(at now: UInt64, cpu: UInt64, messages: Int) {
    nanoseconds = max(now, startedAt) - startedAt
    ownCPU = cpu - cpuAtStart
    self.messages = messages
  }
}
