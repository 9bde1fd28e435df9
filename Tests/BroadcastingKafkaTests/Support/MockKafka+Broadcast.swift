//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport

@testable import BroadcastingKafka

extension MockKafka {
  /// The topic for probes, where it is not to be made, which the mock can't.
  func createProbeTopic() { create("__broadcast.probes", partitions: 4) }

  func broadcast(
    _ options: String = "", _ events: Events = Events(), connectTimeout: Duration = .seconds(20)
  ) throws -> KafkaBroadcast {
    var configuration = KafkaBroadcast.Configuration { events.append($0) }
    configuration.connectTimeout = connectTimeout
    configuration.subscribeTimeout = .seconds(20)
    configuration.publishTimeout = .seconds(20)
    return try KafkaBroadcast(
      "kafka://\(servers)/?fetch.wait.max.ms=5\(options.isEmpty ? "" : "&\(options)")", configuration: configuration)
  }
}
