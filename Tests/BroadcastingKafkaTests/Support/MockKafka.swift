//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import CRdkafka
import CRdkafkaMock

@testable import BroadcastingKafka

/// Does what blocks on a thread of its own, not on one of Swift's pool.
func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let status = DetachedThread.start { continuation.resume(returning: body()) }
    precondition(status == 0, "no thread could be started")
  }
}

/// librdkafka's own cluster of brokers within the process, which speaks the protocol on ports of 127.0.0.1 and fails as it is
/// told. It knows no topics' creation, deletion or rights.
// Sendable: the pointers are constant, and the mock's functions are for any thread.
final class MockKafka: @unchecked Sendable {
  /// What is asked of a broker (the protocol's "API keys").
  enum Request: Int16 {
    case produce = 0, fetch, offsets, metadata
    case producerNumber = 22
  }

  private let host: OpaquePointer
  private let cluster: OpaquePointer
  /// "127.0.0.1:port", with a comma between brokers.
  let servers: String
  /// The first broker's.
  private let port: UInt16

  private init?(brokers: Int32) {
    guard let configuration = rd_kafka_conf_new() else { return nil }
    rd_kafka_conf_set_log_cb(configuration, nil)
    var reason = [CChar](repeating: 0, count: 512)
    guard let host = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
      rd_kafka_conf_destroy(configuration)
      return nil
    }
    guard let cluster = rd_kafka_mock_cluster_new(host, brokers), let text = rd_kafka_mock_cluster_bootstraps(cluster)
    else {
      rd_kafka_destroy(host)
      return nil
    }
    self.host = host
    self.cluster = cluster
    servers = String(cString: text)
    port = servers.split(separator: ",").first?.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
  }

  /// A cluster for as long as `body` runs.
  static func with<T>(brokers: Int32 = 1, _ body: (MockKafka) async throws -> T) async throws -> T {
    guard let mock = await blocking({ MockKafka(brokers: brokers) }) else {
      throw KafkaFailure(.invalidArgument, "There is no mock cluster.")
    }
    let result: Result<T, any Error>
    do { result = .success(try await body(mock)) } catch { result = .failure(error) }
    await blocking {
      mock.order { rd_kafka_mock_cluster_destroy($0) }
      rd_kafka_destroy(mock.host)
    }
    return try result.get()
  }

  // MARK: The cluster

  /// For what waits until the cluster's thread has done it.
  private func order(_ body: (_ cluster: OpaquePointer) -> Void) {
    MockAlarm.during(knockingAt: port) { body(cluster) }
  }

  func create(_ topic: String, partitions: Int32 = 1) {
    order { _ = rd_kafka_mock_topic_create($0, topic, partitions, 1) }
  }

  /// The next requests of a kind get these answers in place of true ones.
  func fail(_ request: Request, with codes: [KafkaCode]) {
    let errors = codes.map { rd_kafka_resp_err_t(rawValue: numericCast($0.rawValue)) }
    rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
  }

  func clearFailures(of request: Request) { rd_kafka_mock_clear_request_errors(cluster, request.rawValue) }

  /// What metadata says of the topic.
  func setError(_ code: KafkaCode, of topic: String) {
    order { rd_kafka_mock_topic_set_error($0, topic, rd_kafka_resp_err_t(rawValue: numericCast(code.rawValue))) }
  }

  /// Closes the connections of a broker, and takes no new ones.
  func takeDown(_ broker: Int32 = 1) { order { _ = rd_kafka_mock_broker_set_down($0, broker) } }

  func bringUp(_ broker: Int32 = 1) { order { _ = rd_kafka_mock_broker_set_up($0, broker) } }

  /// Each answer of the broker comes so much later.
  func delay(_ broker: Int32 = 1, milliseconds: Int32) {
    order { _ = rd_kafka_mock_broker_set_rtt($0, broker, milliseconds) }
  }

  /// -1: the partition has none.
  func setLeader(_ broker: Int32, of topic: String, partition: Int32) {
    order { _ = rd_kafka_mock_partition_set_leader($0, topic, partition, broker) }
  }

  // MARK: Its clients

  /// - Parameter options: behind the question mark of the URL.
  func url(_ options: String = "") throws -> KafkaURL {
    try KafkaURL(BackendURL("kafka://\(servers)/?fetch.wait.max.ms=5\(options.isEmpty ? "" : "&\(options)")"))
  }

  func properties(_ options: String = "") throws -> KafkaProperties {
    try KafkaProperties(url(options), KafkaBroadcast.Configuration())
  }

  func withProducer<T>(_ options: String = "", _ body: (ProducerHandle) async throws -> T) async throws -> T {
    let properties = try properties(options)
    let producer = try await blocking { Result { () throws(KafkaFailure) in try ProducerHandle(properties) } }.get()
    let result: Result<T, any Error>
    do { result = .success(try await body(producer)) } catch { result = .failure(error) }
    await blocking { producer.destroy() }
    return try result.get()
  }

  func withConsumer<T>(_ options: String = "", _ body: (ConsumerHandle) async throws -> T) async throws -> T {
    let properties = try properties(options)
    let consumer = try await blocking {
      Result { () throws(KafkaFailure) in try ConsumerHandle(properties, hint: {}) }
    }.get()
    let result: Result<T, any Error>
    do { result = .success(try await body(consumer)) } catch { result = .failure(error) }
    await blocking { consumer.destroy() }
    return try result.get()
  }
}
