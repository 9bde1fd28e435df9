//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "A Kafka of three brokers", .enabled(if: Broker.kafka.isStartable, "Kafka is missing"), .timeLimit(.minutes(3)))
struct ClusterTests {
  @Test("a leader that is killed costs nothing, neither that of the messages nor that of the probe")
  func leaders() async throws {
    try await KafkaCluster.with { cluster in
      let topics = ["everything", "__broadcast.probes"]
      var broker = Broker.kafka
      broker.serve = { _, body in try await body(ClusterPlace(cluster: cluster, topic: topics[0])) }
      let deaths = Fault(name: "kill -9 of leaders", reachesServer: true) { run, _ in
        for topic in topics {
          let leader = try await cluster.leader(of: topic)
          try await cluster.kill(leader)
          // The other brokers choose another one, as soon as they are sure.
          try await wait(for: "another leader") {
            try await cluster.partition(of: topic).leader.map { $0 != leader } ?? false
          }
          // With two of three.
          try await run.allIsWell(within: Promised.recovering)
          try await cluster.startAll()
          try await wait(for: "the third broker") {
            try await cluster.partition(of: topic).inSync.count == KafkaCluster.count
          }
          try await run.allIsWell(within: Promised.recovering)
          // Nobody has told them how many brokers are to have them.
          #expect(try await cluster.partition(of: topic).replicas.count == KafkaCluster.count)
        }
        #expect(run.events.count(.resubscribed) == 0, "\(run.events.all)")
      }
      try await FaultRun.run(deaths, on: broker)
    }
  }
}

extension KafkaCluster {
  fileprivate func partition(of topic: String) async throws -> KafkaAdmin.Partition {
    try #require(try await admin.partitions(of: topic).first)
  }

  fileprivate func leader(of topic: String) async throws -> Int { try #require(try await partition(of: topic).leader) }
}

/// A cluster whose first broker is behind the proxy, until a client has learnt of all of them.
private struct ClusterPlace: BrokerServer {
  let cluster: KafkaCluster
  /// That of all channels.
  let topic: String

  var port: Int { cluster.ports[0] }

  func url(port: Int) -> String {
    let others = cluster.ports.dropFirst().map { ",127.0.0.1:\($0)" }.joined()
    return "kafka://127.0.0.1:\(port)\(others)/?topic=\(topic)"
  }

  func kill() async throws { try await cluster.kill(cluster.leader(of: topic)) }
  func start() async throws { try await cluster.startAll() }
  func freeze() { cluster.freeze() }
  func thaw() { cluster.thaw() }
  func endConnections() async throws { try await cluster.restartOneByOne() }
  func changePassword(from old: String, to new: String) async throws {}
}
