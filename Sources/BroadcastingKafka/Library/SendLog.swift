//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka
import Synchronization

/// When a producer last sent messages to any broker.
///
/// The library calls a message "not persisted" also after a broker answered that it leads no more. But a leader that is shut
/// down may have written the message by then, and others may have got it. What was never sent is certain.
final class SendLog: Sendable {
  private static let produceRequest: Int16 = 0
  /// The library's clock counts in microseconds, and ours is read a little later.
  private static let tolerance = Duration.milliseconds(1)

  private let start = SuspendingClock.now
  /// In nanoseconds since `start`.
  private let last = Atomic<Int64>(.min)

  /// In nanoseconds since `start`.
  var now: Int64 { Self.nanoseconds(SuspendingClock.now - start) }

  private static func nanoseconds(_ time: Duration) -> Int64 {
    time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000
  }

  /// Whether messages were sent in the time of this length up to then, or later.
  func hasSent(within time: Duration, before then: Int64) -> Bool {
    last.load(ordering: .acquiring) >= then - Self.nanoseconds(time + Self.tolerance)
  }

  private func note() { last.store(now, ordering: .releasing) }

  /// Has the handle that is made of a configuration write to it. It has to outlive that.
  func attach(to configuration: OpaquePointer) {
    rd_kafka_conf_interceptor_add_on_new(
      configuration, "broadcast",
      { handle, _, log, _, _ in
        rd_kafka_interceptor_add_on_request_sent(
          handle, "broadcast",
          { _, _, _, _, request, _, _, _, log in
            if request == SendLog.produceRequest, let log {
              Unmanaged<SendLog>.fromOpaque(log).takeUnretainedValue().note()
            }
            return RD_KAFKA_RESP_ERR_NO_ERROR
          }, log)
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}
