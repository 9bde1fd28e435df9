//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `GET /health`: 200 with the counters when publishing and subscribing work, 503 while the broker is away.
enum HealthEndpoint {
  static func answer(_ statistics: BroadcastStatistics) throws(RequestError) -> HTTPResponse {
    guard statistics.isAvailable else {
      throw RequestError(
        .serviceUnavailable, "unavailable", "The broker is not connected.", headers: ["Retry-After": "1"])
    }
    return .json(body(statistics), headers: ["Cache-Control": "no-store"])
  }

  /// `probe_ms` is null for a backend that sends no probes, and until the first has come back.
  static func body(_ statistics: BroadcastStatistics) -> [UInt8] {
    let probe = statistics.probeDelay.map { "\($0 / .milliseconds(1))" } ?? "null"
    return Array(
      """
      {"status": "ok", "channels": \(statistics.channels), "published": \(statistics.published), \
      "delivered": \(statistics.delivered), "dropped": \(statistics.dropped), "gaps": \(statistics.gaps), \
      "reconnects": \(statistics.reconnects), "filled": \(statistics.filled), "bytes_held": \(statistics.bytesHeld), \
      "history_bytes": \(statistics.historyBytes), "probe_ms": \(probe)}
      """.utf8)
  }
}
