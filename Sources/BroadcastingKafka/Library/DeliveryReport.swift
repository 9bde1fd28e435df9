//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

/// Whether a message that has its report lies in the topic.
enum DeliveryStatus: Int32, Sendable {
  case notPersisted = 0, possiblyPersisted, persisted
}

/// What became of a message that a producer had taken.
struct DeliveryReport: Sendable, Hashable {
  /// What was given with the message.
  var token: UInt64
  var code: KafkaCode
  var status: DeliveryStatus
  /// See ``ProducerTopic/number``.
  var topicNumber: Int
  /// Named where the message was not delivered.
  var topic: String?
  /// Whether others went with it, to be taken or refused with it.
  var isOneOfMany: Bool

  /// - Parameters:
  ///   - count: How many messages have their reports together, which are those of one request.
  ///   - log: Of the producer.
  init(_ message: UnsafePointer<rd_kafka_message_t>, of count: Int, _ log: SendLog?) {
    token = UInt64(UInt(bitPattern: message.pointee._private))
    code = KafkaCode(message.pointee.err)
    topicNumber = message.pointee.rkt.map { Int(bitPattern: rd_kafka_topic_opaque($0)) } ?? 0
    status = Self.status(message, code, log)
    topic =
      code == .none ? nil : message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) }
    isOneOfMany = count > 1
  }

  private static func status(
    _ message: UnsafePointer<rd_kafka_message_t>, _ code: KafkaCode, _ log: SendLog?
  ) -> DeliveryStatus {
    let status = DeliveryStatus(rawValue: Int32(rd_kafka_message_status(message).rawValue)) ?? .possiblyPersisted
    guard status == .notPersisted, code != .none else { return status }
    // A broker has answered to this message that it does not take it.
    if code.rawValue > 0, !code.isRetriable { return .notPersisted }
    guard let log else { return .possiblyPersisted }
    // In this order: should this thread be held up in between, the message seems older than it is, not younger.
    let now = log.now
    let age = rd_kafka_message_latency(message)
    guard age >= 0, !log.hasSent(within: .microseconds(age), before: now) else { return .possiblyPersisted }
    return .notPersisted
  }
}
