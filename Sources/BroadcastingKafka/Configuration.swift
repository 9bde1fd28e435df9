//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
package import BroadcastingNetwork

extension KafkaBroadcast {
  /// How a Kafka backend behaves. Most of it can stand in the URL too, which goes before what stands here.
  public struct Configuration: Sendable {
    /// How topics are made that are not there.
    public struct NewTopics: Sendable, Hashable {
      /// How many partitions; nil: as many as the broker's `num.partitions` says.
      public var partitions: Int?
      /// On how many brokers each message lies; nil: as the broker's `default.replication.factor` says.
      public var replication: Int?
      /// Settings of the topic by Kafka's names, as `retention.ms`; all others are the broker's.
      public var settings: [String: String]

      public init(partitions: Int? = nil, replication: Int? = nil, settings: [String: String] = [:]) {
        self.partitions = partitions
        self.replication = replication
        self.settings = settings
      }
    }

    /// What all backends have in common. The longest pause before reconnecting is 2 s here.
    public var hub: HubConfiguration

    /// The topic that carries all channels, with the channel as the key of each message. Nil: each channel is a topic of
    /// its own, and has the name of it.
    public var topic: String?

    /// The topic of the messages by which a connection checks itself. Clusters that share nothing else share it. Of the names
    /// that begin with two underscores this one alone is allowed.
    public var probeTopic = usualProbeTopic

    static let usualProbeTopic = "__broadcast.probes"

    /// How topics are made that are not there; nil: not at all, and what needs one fails.
    public var newTopics: NewTopics? = NewTopics()

    /// Properties of librdkafka by their names, as `ssl.ca.location`, for all connections. Some are refused, since what this
    /// backend promises hangs on them.
    public var properties: [String: String] = [:]

    /// What the connections are called: with ".producer" and ".consumer" behind it it is the `client.id` that logs and quotas
    /// of a broker name.
    public var clientName = "swift-broadcast"

    /// The largest payload in bytes that may be published. A broker takes 1,048,588 bytes by default (its
    /// `message.max.bytes`, a topic's `max.message.bytes`), key, headers and what the protocol adds included.
    public var maximumMessageBytes = 1_000_000

    /// How long a message may take until the broker, and all replicas that are in sync, have it.
    public var publishTimeout: Duration = .seconds(2)

    /// How long a subscription may take until it reads; the topic may have to be made in it. One that waits for its turn
    /// behind a thousand others may take twice as long.
    public var subscribeTimeout: Duration = .seconds(2)

    /// How long connecting may take: the log-in, and the first message to ourselves.
    public var connectTimeout: Duration = .seconds(3)

    /// So many topics one connection may have read in its life: librdkafka keeps some kilobytes of each until its end.
    package var maximumTopics = 10_000

    /// The loop to run on. One is made for it if nil.
    package var loop: EventLoop?

    public init(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) {
      hub = HubConfiguration(onEvent: onEvent)
      hub.longestReconnectDelay = .seconds(2)
    }
  }
}

typealias NewTopics = KafkaBroadcast.Configuration.NewTopics
