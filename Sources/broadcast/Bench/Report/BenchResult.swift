//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a run has brought.
struct BenchResult: Sendable {
  /// What the server's process used.
  struct ServerUsage: Hashable, Sendable {
    /// Nanoseconds of the processors while it was measured.
    var cpu: UInt64?
    /// Its memory before the first subscriber, with all of them and no message as yet, and at the end.
    var residentBytesBefore: Int?
    var residentBytesIdle: Int?
    var residentBytesAfter: Int?
  }

  let options: BenchOptions
  let counts: DeliveryChecker.Counts
  /// Deliveries that did not come. In a run that was broken off, those that later ones have passed.
  let lost: Int
  let cuts: LoadTest.Cuts
  let measurement: Measurement
  /// Nil when no process was named.
  let server: ServerUsage?
  let failure: Failure?
  /// The signal that asked to stop.
  let interruption: Int32?

  /// All that should be published was, and was answered.
  var isComplete: Bool { failure == nil && interruption == nil && measurement.messages == options.messages }

  var isRight: Bool {
    lost == 0 && counts.doubled == 0 && counts.outOfOrder == 0 && counts.damaged == 0 && cuts.count == 0
  }

  var exitCode: ExitCode {
    if let interruption { return ExitCode(rawValue: 128 + interruption) }
    if let failure { return failure.exitCode }
    return isRight ? .success : .failure
  }

  // MARK: What follows from it; nil where nothing was measured

  var seconds: Double { Double(measurement.nanoseconds) / 1e9 }
  var messagesPerSecond: Double? { ratio(Double(measurement.messages), seconds) }
  var deliveriesPerSecond: Double? { ratio(Double(measurement.deliveries), seconds) }
  /// Microseconds.
  var ownCPUPerDelivery: Double? { ratio(Double(measurement.ownCPU) / 1e3, Double(measurement.deliveries)) }
  /// Which part of the time the one thread was busy.
  var ownShare: Double? { ratio(Double(measurement.ownCPU), Double(measurement.nanoseconds)) }
  /// Microseconds.
  var serverCPUPerDelivery: Double? {
    server?.cpu.flatMap { ratio(Double($0) / 1e3, Double(measurement.deliveries)) }
  }
  /// Microseconds.
  var serverCPUPerMessage: Double? {
    server?.cpu.flatMap { ratio(Double($0) / 1e3, Double(measurement.messages)) }
  }
  var bytesPerIdleSubscriber: Double? {
    guard let idle = server?.residentBytesIdle, let before = server?.residentBytesBefore else { return nil }
    return ratio(Double(idle - before), Double(options.subscribers))
  }

  private func ratio(_ value: Double, _ by: Double) -> Double? { by > 0 ? value / by : nil }
}

extension BenchResult {
  init(_ options: BenchOptions, _ test: LoadTest, server: ServerUsage?, interruption: Int32?) {
    self.options = options
    counts = test.checker.counts
    lost = test.isBrokenOff ? test.checker.missing.count : counts.expected - counts.delivered
    cuts = test.cuts
    measurement = test.measurement
    self.server = server
    failure = test.failure
    self.interruption = interruption
  }
}
