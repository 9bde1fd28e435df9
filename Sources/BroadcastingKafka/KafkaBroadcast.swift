//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@_exported public import Broadcasting
import BroadcastingBroker

/// A broadcast over Apache Kafka.
///
/// A channel is a topic of its name, or, with `?topic=NAME` in the URL, a key within one topic. There are no consumer groups:
/// each subscriber gets each message. The promises are those of every `Broadcast`. In particular:
/// - When `subscribe` returns, the ends of the topic's partitions are known, and reading begins there: nothing that is
///   published later is missed, and nothing that was published before arrives.
/// - When `publish` returns, all replicas that are in sync have the message.
/// - Kafka keeps messages for a time. So a connection that is lost and comes back goes on where it was, and nobody misses
///   anything. What is gone by then, by retention or with a topic, is told by a `Gap`.
/// - The messages of one publisher on one channel arrive in their order.
/// - Text, bytes and headers are a record's value and headers as they are, so programs in any language join in.
public struct KafkaBroadcast: Broadcast {
  private let hub: Hub
  private let driver: BrokerDriver

  /// Makes a broadcast over the cluster at a URL. It begins to connect with ``run()``.
  ///
  /// - Parameters:
  ///   - url: `kafka://user:password@host:9092,host:9092/?option=value&…`, with one or several brokers of the cluster. Options
  ///     are `topic`, `probe.topic`, `create` (true or false), `create.partitions`, `create.replication`, `create.` and a
  ///     topic's setting, and the properties of librdkafka, as `security.protocol`. In all parts `%`, `@`, `:`, `/`, `?`, `&`
  ///     and `#` are percent-encoded.
  ///   - configuration: How it behaves. What the URL says goes before it.
  /// - Throws: An error with the code `invalidURL`, which says what is wrong and repeats no secret.
  public init(_ url: String, configuration: Configuration = .init()) throws(BroadcastError) {
    try self.init(BackendURL(url), configuration)
  }

  init(_ url: BackendURL, _ configuration: Configuration) throws(BroadcastError) {
    let kafka = try KafkaURL(url, over: configuration)
    let properties = try KafkaProperties(kafka, configuration)
    try properties.check()
    let capabilities = Capabilities(
      maximumPayloadBytes: configuration.maximumMessageBytes, ordering: .perPublisher,
      mayDeliverEarlierMessages: false, carriesBinary: true, carriesHeaders: true, hasPositions: false,
      hasPatterns: false)
    driver = BrokerDriver(capabilities, on: configuration.loop, callsAtOnce: 16_384) { mailbox, loop in
      KafkaConnection(kafka, properties, configuration, mailbox, on: loop)
    }
    var hubConfiguration = configuration.hub
    hubConfiguration.maximumMessageBytes = min(hubConfiguration.maximumMessageBytes, configuration.maximumMessageBytes)
    hub = Hub(driver: driver, configuration: hubConfiguration)
  }

  public var capabilities: Capabilities { hub.capabilities }
  public var statistics: BroadcastStatistics { hub.statistics }

  public func run() async throws(BroadcastError) { try await driver.run(hub) }

  @discardableResult
  public func publish(_ message: Message) async throws(BroadcastError) -> Receipt { try await hub.publish(message) }

  @discardableResult
  public func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try await hub.publish(messages)
  }

  public func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    try await hub.subscribe(to: channels, options: options)
  }
}

extension BroadcastBackend {
  /// `kafka://`: over a cluster of Apache Kafka.
  public static let kafka = kafka()

  /// `kafka://`: over a cluster of Apache Kafka, configured.
  public static func kafka(_ configuration: KafkaBroadcast.Configuration = .init()) -> BroadcastBackend {
    BroadcastBackend(schemes: ["kafka"]) { url throws(BroadcastError) in try KafkaBroadcast(url, configuration) }
  }
}
