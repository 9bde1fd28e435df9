//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import CRdkafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What an administrator, and a program with nothing of ours in it, does to a Kafka. Each call is a client of its own.
package struct KafkaAdmin: Sendable {
  package let servers: String

  private static let limit: Int32 = 20_000

  // MARK: Topics

  /// Returns when each of its partitions has a leader that answers for it.
  package func create(_ topic: String, partitions: Int = 1, settings: [String: String] = [:]) async throws {
    try await perform { handle throws(ProgramError) in
      var reason = [CChar](repeating: 0, count: 512)
      var new = rd_kafka_NewTopic_new(topic, Int32(partitions), -1, &reason, reason.count)
      defer { rd_kafka_NewTopic_destroy(new) }
      for (name, value) in settings { _ = rd_kafka_NewTopic_set_config(new, name, value) }
      try handle.ask("create \(topic)") { handle, queue in
        rd_kafka_CreateTopics(handle, &new, 1, nil, queue)
      } results: { event, count in
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
      }
      try handle.waitForLeaders(of: topic, partitions: partitions)
    }
  }

  /// Returns when nobody knows it any more.
  package func delete(_ topic: String) async throws {
    try await perform { handle throws(ProgramError) in
      var old = rd_kafka_DeleteTopic_new(topic)
      defer { rd_kafka_DeleteTopic_destroy(old) }
      try handle.ask("delete \(topic)") { handle, queue in
        rd_kafka_DeleteTopics(handle, &old, 1, nil, queue)
      } results: { event, count in
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count)
      }
    }
  }

  /// Gives a topic more partitions, so that there are `count`. Returns as ``create(_:partitions:settings:)`` does.
  package func addPartitions(_ topic: String, upTo count: Int) async throws {
    try await perform { handle throws(ProgramError) in
      var reason = [CChar](repeating: 0, count: 512)
      var new = rd_kafka_NewPartitions_new(topic, count, &reason, reason.count)
      defer { rd_kafka_NewPartitions_destroy(new) }
      try handle.ask("give \(topic) partitions") { handle, queue in
        rd_kafka_CreatePartitions(handle, &new, 1, nil, queue)
      } results: { event, count in
        rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count)
      }
      try handle.waitForLeaders(of: topic, partitions: count)
    }
  }

  /// Deletes the messages of a partition in front of an offset, as retention would.
  package func deleteRecords(of topic: String, partition: Int = 0, before offset: Int) async throws {
    try await perform { handle throws(ProgramError) in
      let list = rd_kafka_topic_partition_list_new(1)
      defer { rd_kafka_topic_partition_list_destroy(list) }
      rd_kafka_topic_partition_list_add(list, topic, Int32(partition)).pointee.offset = Int64(offset)
      var records = rd_kafka_DeleteRecords_new(list)
      defer { rd_kafka_DeleteRecords_destroy(records) }
      let event = try handle.answer("delete records of \(topic)") { handle, queue in
        rd_kafka_DeleteRecords(handle, &records, 1, nil, queue)
      }
      defer { rd_kafka_event_destroy(event) }
      let offsets = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
      guard let offsets, offsets.pointee.cnt == 1, let first = offsets.pointee.elems else {
        throw ProgramError(.refused, "delete records of \(topic): no answer for it")
      }
      try check(first.pointee.err, "delete records of \(topic)")
    }
  }

  /// All topics with how many partitions they have.
  package func topics() async throws -> [String: Int] {
    try await perform { handle throws(ProgramError) in try handle.topics() }
  }

  package struct Partition: Sendable, Hashable {
    /// Nil while there is none.
    package var leader: Int?
    package var replicas: Set<Int>
    package var inSync: Set<Int>
  }

  /// Which brokers have a topic's partitions.
  package func partitions(of topic: String) async throws -> [Partition] {
    try await perform { handle throws(ProgramError) in try handle.metadata().topics[topic] ?? [] }
  }

  /// The offset behind the last message of each partition.
  package func ends(of topic: String, partitions: Int = 1) async throws -> [Int] {
    try await perform { handle throws(ProgramError) in try handle.ends(of: topic, partitions: partitions) }
  }

  /// What the cluster calls itself.
  package func clusterID() async throws -> String {
    try await perform { handle throws(ProgramError) in
      guard let name = rd_kafka_clusterid(handle.pointer, Self.limit) else {
        throw ProgramError(.timedOut, "the cluster has no name")
      }
      defer { rd_kafka_mem_free(handle.pointer, name) }
      return string(name)
    }
  }

  // MARK: Messages

  package struct Record: Sendable {
    package var key: [UInt8]?
    /// Nil is what compaction takes for a deletion.
    package var value: [UInt8]?
    package var headers: [(name: String, value: [UInt8]?)] = []
    /// Nil: that of the key, or any.
    package var partition: Int?

    package init(_ value: [UInt8]?, key: [UInt8]? = nil) {
      self.value = value
      self.key = key
    }

    package init(_ text: String, key: String? = nil) {
      self.init(Array(text.utf8), key: key.map { Array($0.utf8) })
    }
  }

  /// Returns when the broker has all of them.
  package func produce(_ records: [Record], to topic: String) async throws {
    try await perform { handle throws(ProgramError) in
      for record in records { try handle.produce(record, to: topic) }
      try handle.waitForReports(of: records.count, to: topic)
    }
  }

  // MARK: Rights

  package enum Operation: Sendable { case read, write, describe, create, all }
  package enum Resource: Sendable {
    case topic(String)
    /// Every one whose name begins so.
    case topics(String)
    case cluster
  }

  /// Gives a user who logs in a right.
  package func allow(_ user: String, _ operations: [Operation], on resource: Resource) async throws {
    for operation in operations { try await change(.allow, user, operation, resource) }
  }

  /// Forbids a user something, whatever rights there are.
  package func deny(_ user: String, _ operations: [Operation], on resource: Resource) async throws {
    for operation in operations { try await change(.deny, user, operation, resource) }
  }

  /// Takes back what ``deny(_:_:on:)`` did.
  package func denyNoLonger(_ user: String, _ operations: [Operation], on resource: Resource) async throws {
    for operation in operations { try await change(.noDenial, user, operation, resource) }
  }

  private enum Change { case allow, deny, noDenial }

  private func change(_ change: Change, _ user: String, _ operation: Operation, _ resource: Resource) async throws {
    try await perform { handle throws(ProgramError) in
      let (type, name, pattern) =
        switch resource {
        case .topic(let name): (RD_KAFKA_RESOURCE_TOPIC, name, RD_KAFKA_RESOURCE_PATTERN_LITERAL)
        case .topics(let prefix): (RD_KAFKA_RESOURCE_TOPIC, prefix, RD_KAFKA_RESOURCE_PATTERN_PREFIXED)
        // What librdkafka calls a broker is the cluster, under this name.
        case .cluster: (RD_KAFKA_RESOURCE_BROKER, "kafka-cluster", RD_KAFKA_RESOURCE_PATTERN_LITERAL)
        }
      let permission = change == .allow ? RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW : RD_KAFKA_ACL_PERMISSION_TYPE_DENY
      let make = change == .noDenial ? rd_kafka_AclBindingFilter_new : rd_kafka_AclBinding_new
      var reason = [CChar](repeating: 0, count: 512)
      var binding = make(
        type, name, pattern, "User:\(user)", "*", operation.value, permission, &reason, reason.count)
      guard binding != nil else { throw ProgramError(.refused, "a right: \(text(reason))") }
      defer { rd_kafka_AclBinding_destroy(binding) }
      let event = try handle.answer("change the rights of \(user)") { handle, queue in
        if change == .noDenial {
          rd_kafka_DeleteAcls(handle, &binding, 1, nil, queue)
        } else {
          rd_kafka_CreateAcls(handle, &binding, 1, nil, queue)
        }
      }
      defer { rd_kafka_event_destroy(event) }
      var count = 0
      guard change != .noDenial,
        let results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &count)
      else { return }
      for index in 0..<count {
        guard let error = rd_kafka_acl_result_error(results[index]) else { continue }
        throw ProgramError(.refused, "a right for \(user): \(string(rd_kafka_error_string(error)))")
      }
    }
  }

  // MARK: Being ready

  /// Returns when there are so many brokers and every partition has a leader. An open port alone is not enough.
  func waitUntilReady(_ brokers: Int = 1, while isAlive: @escaping @Sendable () -> Bool) async throws {
    try await perform { handle throws(ProgramError) in
      while isAlive() {
        if let metadata = try? handle.metadata(within: 500), metadata.brokers == brokers, metadata.isLed { return }
        usleep(20_000)
      }
    }
  }

  private func perform<T: Sendable>(
    _ body: @escaping @Sendable (KafkaClient) throws(ProgramError) -> T
  ) async throws -> T {
    let servers = servers
    let result: Result<T, ProgramError> = await withCheckedContinuation { continuation in
      let status = DetachedThread.start {
        continuation.resume(
          returning: Result { () throws(ProgramError) in
            let client = try KafkaClient(servers)
            defer { client.destroy() }
            return try body(client)
          })
      }
      if status != 0 { continuation.resume(returning: .failure(ProgramError(.notStarted, "no thread"))) }
    }
    return try result.get()
  }
}

extension KafkaAdmin.Operation {
  fileprivate var value: rd_kafka_AclOperation_t {
    switch self {
    case .read: RD_KAFKA_ACL_OPERATION_READ
    case .write: RD_KAFKA_ACL_OPERATION_WRITE
    case .describe: RD_KAFKA_ACL_OPERATION_DESCRIBE
    case .create: RD_KAFKA_ACL_OPERATION_CREATE
    case .all: RD_KAFKA_ACL_OPERATION_ALL
    }
  }
}
