//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import CRdkafka

/// A topic to which a producer publishes. It is valid as long as the producer.
// Sendable: the pointer is constant, and librdkafka's topics are for any thread.
final class ProducerTopic: @unchecked Sendable {
  let name: String
  /// Another one for each name, above 0; reports have it.
  let number: Int
  fileprivate let pointer: OpaquePointer

  fileprivate init(_ name: String, _ pointer: OpaquePointer) {
    self.name = name
    number = Int(bitPattern: rd_kafka_topic_opaque(pointer))
    self.pointer = pointer
  }
}

/// Publishes. Messages are copied into the library, which groups, sends and repeats them, and reports of each.
final class ProducerHandle: Sendable {
  let handle: KafkaHandle

  init(_ properties: KafkaProperties) throws(KafkaFailure) { handle = try KafkaHandle(.producer, properties) }

  func topic(_ name: String) throws(KafkaFailure) -> ProducerTopic { ProducerTopic(name, try handle.topic(name)) }

  /// Gives messages to the library; each one taken has a report with this token later. Returns at once.
  ///
  /// Returns how many were taken, and why the next was not.
  func produce(
    _ messages: ArraySlice<Message>, to topic: ProducerTopic, token: UInt64
  ) -> (taken: Int, failure: KafkaFailure?) {
    let opaque = UnsafeMutableRawPointer(bitPattern: UInt(token))
    let result = handle.use { pointer -> (taken: Int, failure: KafkaFailure?) in
      var taken = 0
      for message in messages {
        if let failure = Self.produce(message, to: topic, opaque, pointer) { return (taken, failure) }
        taken += 1
      }
      return (taken, nil)
    }
    return result ?? (0, .destroyed)
  }

  private static func produce(
    _ message: Message, to topic: ProducerTopic, _ opaque: UnsafeMutableRawPointer?, _ pointer: OpaquePointer
  ) -> KafkaFailure? {
    let (value, headers) = KafkaMessage.encode(message)
    var name = message.channel.name
    return name.withUTF8 { key in
      value.withUnsafeBytes { value in
        // A null pointer is no value at all, which compaction takes for a deletion.
        let start = UnsafeMutableRawPointer(mutating: value.baseAddress ?? UnsafeRawPointer(key.baseAddress))
        if headers.isEmpty {
          let status = rd_kafka_produce(
            topic.pointer, anyPartition, RD_KAFKA_MSG_F_COPY, start, value.count, key.baseAddress, key.count, opaque)
          return status == 0 ? nil : .last()
        }
        return produce(start, value.count, key, headers, to: topic, opaque, pointer)
      }
    }
  }

  private static let anyPartition: Int32 = -1

  private static func produce(
    _ value: UnsafeMutableRawPointer?, _ count: Int, _ key: UnsafeBufferPointer<UInt8>, _ headers: [Message.Header],
    to topic: ProducerTopic, _ opaque: UnsafeMutableRawPointer?, _ pointer: OpaquePointer
  ) -> KafkaFailure? {
    guard let list = rd_kafka_headers_new(headers.count) else { return KafkaFailure(.queueFull) }
    for header in headers {
      var name = header.name
      name.withUTF8 { name in
        name.withMemoryRebound(to: CChar.self) { name in
          header.value.withUnsafeBytes { value in
            // A null pointer is no value.
            let start = value.baseAddress ?? UnsafeRawPointer(key.baseAddress)
            _ = rd_kafka_header_add(list, name.baseAddress, name.count, start, value.count)
          }
        }
      }
    }
    var arguments = [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 6)
    arguments[0].vtype = RD_KAFKA_VTYPE_RKT
    arguments[0].u.rkt = topic.pointer
    arguments[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS
    arguments[1].u.i = RD_KAFKA_MSG_F_COPY
    arguments[2].vtype = RD_KAFKA_VTYPE_KEY
    arguments[2].u.mem.ptr = UnsafeMutableRawPointer(mutating: key.baseAddress)
    arguments[2].u.mem.size = key.count
    arguments[3].vtype = RD_KAFKA_VTYPE_VALUE
    arguments[3].u.mem.ptr = value
    arguments[3].u.mem.size = count
    arguments[4].vtype = RD_KAFKA_VTYPE_OPAQUE
    arguments[4].u.ptr = opaque
    arguments[5].vtype = RD_KAFKA_VTYPE_HEADERS
    arguments[5].u.headers = list
    guard let error = rd_kafka_produceva(pointer, arguments, arguments.count) else { return nil }
    defer { rd_kafka_error_destroy(error) }
    // The library keeps the headers of what it takes alone.
    rd_kafka_headers_destroy(list)
    return KafkaFailure(
      KafkaCode(rd_kafka_error_code(error)), rd_kafka_error_string(error).map { String(cString: $0) } ?? "")
  }

  /// Gives one record to the library, for a partition.
  func produce(
    _ value: [UInt8], key: [UInt8], to topic: ProducerTopic, partition: Int32, token: UInt64
  ) -> KafkaFailure? {
    let opaque = UnsafeMutableRawPointer(bitPattern: UInt(token))
    let failure = handle.use { _ -> KafkaFailure? in
      value.withUnsafeBytes { value in
        let start = UnsafeMutableRawPointer(mutating: value.baseAddress)
        let status = rd_kafka_produce(
          topic.pointer, partition, RD_KAFKA_MSG_F_COPY, start, value.count, key, key.count, opaque)
        return status == 0 ? nil : .last()
      }
    }
    return failure ?? .destroyed
  }

  /// Takes the reports that have come, some 4,096 at most. True: there may be more. Errors are in ``KafkaHandle/nextFailure()``
  /// after it.
  func reports(_ body: (DeliveryReport) -> Void) -> Bool { handle.serve(body) }

  /// Gives up all that the library has: reports of it follow.
  func purge() {
    _ = handle.use {
      rd_kafka_purge($0, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
    }
  }

  /// Blocks: see ``KafkaHandle/destroy()``.
  func destroy() { handle.destroy() }
}
