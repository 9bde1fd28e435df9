//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import CRdkafka

/// A topic that a consumer reads. It is valid as long as the consumer.
// Sendable: the pointer is constant, and librdkafka's topics are for any thread.
final class ConsumerTopic: @unchecked Sendable {
  let name: String
  let slot: Int
  fileprivate let pointer: OpaquePointer

  fileprivate init(_ name: String, _ slot: Int, _ pointer: OpaquePointer) {
    self.name = name
    self.slot = slot
    self.pointer = pointer
  }
}

/// Reads partitions from offsets that it is told, by the library's calls for simple consumers: there is no group, nothing is
/// committed, and one queue has all messages.
// Sendable: as the handle. `buffer` is touched by `read` alone, which is for one thread, and by `deinit`.
final class ConsumerHandle: @unchecked Sendable {
  let handle: KafkaHandle
  private static let recordsAtOnce = 256
  private let buffer: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

  /// - Parameter hint: is called within ``read(_:)`` for errors that concern no one partition, such as a topic's end.
  init(_ properties: KafkaProperties, hint: @escaping @Sendable () -> Void) throws(KafkaFailure) {
    handle = try KafkaHandle(.consumer, properties, hint: hint)
    buffer = .allocate(capacity: Self.recordsAtOnce)
    buffer.initialize(repeating: nil, count: Self.recordsAtOnce)
  }

  deinit { buffer.deallocate() }

  /// - Parameter slot: 0 or more, is in each record. The library keeps the one of a name's first call.
  func topic(_ name: String, slot: Int) throws(KafkaFailure) -> ConsumerTopic {
    ConsumerTopic(name, slot, try handle.topic(name, opaque: UnsafeMutableRawPointer(bitPattern: slot + 1)))
  }

  /// Begins to read a partition, from an offset, -2 for the first that there is, or -1 for the next that comes. Returns at once,
  /// on any thread.
  func start(_ topic: ConsumerTopic, partition: Int32, at offset: Int64) throws(KafkaFailure) {
    let failure = handle.useMessages { _, queue -> KafkaFailure? in
      rd_kafka_consume_start_queue(topic.pointer, partition, offset, queue) == 0 ? nil : .last()
    }
    guard let failure else { throw .destroyed }
    if let failure { throw failure }
  }

  /// No more comes of the partition after it. It blocks for a moment.
  func stop(_ topic: ConsumerTopic, partition: Int32) {
    _ = handle.use { _ in rd_kafka_consume_stop(topic.pointer, partition) }
  }

  /// Takes what has come, 256 records at most. True: there may be more. To be called on one thread.
  func read(_ body: (borrowing Records) -> Void) -> Bool {
    handle.useMessages { _, queue in
      let count = rd_kafka_consume_batch_queue(queue, 0, buffer, Self.recordsAtOnce)
      guard count > 0 else { return false }
      body(Records(buffer, count))
      for index in 0..<count { rd_kafka_message_destroy(buffer[index]) }
      return count == Self.recordsAtOnce
    } ?? false
  }

  /// Blocks: see ``KafkaHandle/destroy()``.
  func destroy() { handle.destroy() }
}

/// What one call of ``ConsumerHandle/read(_:)`` brought. Valid within its body.
struct Records: ~Copyable {
  private let buffer: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  let count: Int

  fileprivate init(_ buffer: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>, _ count: Int) {
    self.buffer = buffer
    self.count = count
  }

  subscript(_ index: Int) -> RecordView {
    precondition(index >= 0 && index < count)
    return RecordView(buffer[index])
  }
}

/// A record, or what the library has to say of a partition: then it has a code. Valid within the body of
/// ``ConsumerHandle/read(_:)``.
struct RecordView {
  private let message: UnsafePointer<rd_kafka_message_t>?
  let partition: Int32
  let offset: Int64
  /// What is wrong, or ``KafkaCode/endOfPartition``; nil for a record.
  let code: KafkaCode?

  fileprivate init(_ pointer: UnsafeMutablePointer<rd_kafka_message_t>?) {
    message = UnsafePointer(pointer)
    partition = pointer?.pointee.partition ?? -1
    offset = pointer?.pointee.offset ?? -1
    let code = pointer.map { KafkaCode($0.pointee.err) } ?? .badMessage
    self.code = code == .none ? nil : code
  }

  /// The number that the topic was given, or -1 where what came is of no topic.
  var slot: Int {
    guard let topic = message?.pointee.rkt else { return -1 }
    return Int(bitPattern: rd_kafka_topic_opaque(topic)) - 1
  }

  /// Milliseconds since 1970, by who published or by the broker; -1: there is none.
  var timestamp: Int64 {
    guard code == nil, let message else { return -1 }
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    return rd_kafka_message_timestamp(message, &kind)
  }

  /// Its base address is nil where there is no key at all.
  var key: UnsafeRawBufferPointer {
    guard let message, code == nil else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(
      start: message.pointee.key, count: message.pointee.key == nil ? 0 : message.pointee.key_len)
  }

  /// The payload, or the words of what is wrong. Its base address is nil where there is no value at all.
  var value: UnsafeRawBufferPointer {
    guard let message else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(
      start: message.pointee.payload, count: message.pointee.payload == nil ? 0 : message.pointee.len)
  }

  /// In their order. A name that is not UTF-8 has U+FFFD in place of what is wrong in it; no value is an empty one.
  func headers() -> [Message.Header] {
    guard code == nil, let message else { return [] }
    var list: OpaquePointer?
    guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
    var headers: [Message.Header] = []
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
      let bytes = [UInt8](UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size))
      headers.append(.init(name.map { String(cString: $0) } ?? "", bytes))
    }
    return headers
  }
}
