//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `GET /health`: 200 when publishing and subscribing work, 503 while the broker is away.
enum HealthEndpoint {
  static func answer(_ statistics: BroadcastStatistics) throws(RequestError) -> HTTPResponse {
    guard statistics.isAvailable else {
      throw RequestError(
        .serviceUnavailable, "unavailable", "The broker is not connected.", headers: ["Retry-After": "1"])
    }
    return .json(Array(#"{"status": "ok"}"#.utf8), headers: ["Cache-Control": "no-store"])
  }
}
