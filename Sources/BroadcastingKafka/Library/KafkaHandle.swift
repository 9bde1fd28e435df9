//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import CRdkafka
import Synchronization

/// A handle of librdkafka (`rd_kafka_t`): a client of the cluster with threads and connections of its own.
///
/// Making and destroying one blocks, so both are for a ``KafkaThread``. A call after the end does nothing, and one that is under
/// way at the end puts it off.
// Sendable: librdkafka's handles are for any thread, the pointers are constant, and what they point at is freed after the last
// `use` alone. All else is under its lock.
final class KafkaHandle: @unchecked Sendable {
  enum Kind: Sendable {
    case producer, consumer

    var type: rd_kafka_type_t { self == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER }
  }

  /// What is told by the library's error callback, which has room for one pointer.
  private final class Hint: Sendable {
    let tell: @Sendable () -> Void
    init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }
  }

  let kind: Kind
  private let pointer: OpaquePointer
  /// What comes but for messages: reports and errors.
  private let mainQueue: OpaquePointer
  /// Where a consumer's partitions lead to.
  private let messageQueue: OpaquePointer?
  private let hint: Unmanaged<Hint>?
  private let sendLog: Unmanaged<SendLog>?
  /// How many calls are under way, and whether it is over.
  private let uses = Atomic<Int>(0)
  private static let ended = 1 << 40
  private static let freed = 1 << 41
  private let topics = Lock([String: UInt]())
  private let failures = Lock([KafkaFailure]())
  private static let maximumFailures = 64
  /// A report is 0.1 µs; the loop sees to other things in between.
  private static let reportsAtOnce = 4_096

  init(
    _ kind: Kind, _ properties: KafkaProperties, hint: (@Sendable () -> Void)? = nil
  ) throws(KafkaFailure) {
    let values = properties.values(for: kind)
    if kind == .producer, Self.hasFailed.load(ordering: .relaxed) { try Self.tryOut(kind, values) }
    let configuration = try Self.configuration(values)
    let unmanaged = hint.map { Unmanaged.passRetained(Hint($0)) }
    let reports = kind == .producer ? RD_KAFKA_EVENT_DR : 0
    rd_kafka_conf_set_events(configuration, reports | RD_KAFKA_EVENT_ERROR)
    if let unmanaged {
      rd_kafka_conf_set_opaque(configuration, unmanaged.toOpaque())
      rd_kafka_conf_set_error_cb(configuration) { _, _, _, opaque in
        if let opaque { Unmanaged<Hint>.fromOpaque(opaque).takeUnretainedValue().tell() }
      }
    }
    let sendLog = kind == .producer ? Unmanaged.passRetained(SendLog()) : nil
    sendLog?.takeUnretainedValue().attach(to: configuration)
    var reason = [CChar](repeating: 0, count: 512)
    guard let pointer = rd_kafka_new(kind.type, configuration, &reason, reason.count) else {
      let code = KafkaCode(rd_kafka_last_error())
      if kind == .producer {
        // See `hasFailed`.
        Self.hasFailed.store(true, ordering: .relaxed)
      } else {
        rd_kafka_conf_destroy(configuration)
      }
      unmanaged?.release()
      sendLog?.release()
      throw KafkaFailure(code == .none ? .invalidArgument : code, Self.text(reason))
    }
    self.kind = kind
    self.pointer = pointer
    mainQueue = rd_kafka_queue_get_main(pointer)
    messageQueue = kind == .consumer ? rd_kafka_queue_new(pointer) : nil
    self.hint = unmanaged
    self.sendLog = sendLog
  }

  /// librdkafka 2.0.2 frees what ``SendLog`` has put into a configuration when no handle comes of it, and frees it again with
  /// the configuration, which must be left alone then. So that this costs one of them and no more, later ones are tried
  /// without it first.
  private static let hasFailed = Atomic(false)

  // MARK: Use and end

  /// Calls `body` while the handle can't go; nil when it has.
  func use<T>(_ body: (OpaquePointer) -> T) -> T? {
    defer { leave(uses.subtract(1, ordering: .acquiringAndReleasing).newValue) }
    guard uses.add(1, ordering: .acquiringAndReleasing).oldValue < Self.ended else { return nil }
    return body(pointer)
  }

  /// The same with the queue of a consumer's messages.
  func useMessages<T>(_ body: (_ handle: OpaquePointer, _ queue: OpaquePointer) -> T) -> T? {
    guard let messageQueue else { return nil }
    return use { body($0, messageQueue) }
  }

  /// Ends all: what is not sent is thrown away, and all topics and messages are invalid. It returns when that is done, or
  /// leaves it to a call on another thread that is still under way, and a thread of its own. Takes 1 ms as a rule; a fault of librdkafka could hold it
  /// for long.
  func destroy() {
    let old = uses.bitwiseOr(Self.ended, ordering: .acquiringAndReleasing).oldValue
    if old == 0 { leave(Self.ended, isDestroying: true) }
  }

  private func leave(_ now: Int, isDestroying: Bool = false) {
    guard now == Self.ended else { return }
    // Others may come and go again meanwhile; one of all frees.
    let isMine = uses.compareExchange(
      expected: Self.ended, desired: Self.freed | Self.ended, ordering: .acquiringAndReleasing)
    guard isMine.exchanged else { return }
    // Whoever leaves last may be the loop, which must not wait for the library's threads.
    if isDestroying || DetachedThread.start({ self.free() }) != 0 { free() }
  }

  private func free() {
    disable(mainQueue)
    if let messageQueue { disable(messageQueue) }
    if kind == .producer {
      rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
    }
    // References to messages, topics and queues keep a handle from ending.
    while let event = rd_kafka_queue_poll(mainQueue, 0) { rd_kafka_event_destroy(event) }
    for topic in topics.withLock({ topics in
      defer { topics = [:] }
      return Array(topics.values)
    }) {
      rd_kafka_topic_destroy(OpaquePointer(bitPattern: topic))
    }
    rd_kafka_queue_destroy(mainQueue)
    if let messageQueue { rd_kafka_queue_destroy(messageQueue) }
    rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    hint?.release()
    sendLog?.release()
  }

  // MARK: Notices

  /// A byte is written to the descriptor, which must not block, when there is something after all had been taken.
  func enableNotices(by descriptor: Int32) {
    _ = use { _ in
      for queue in [mainQueue, messageQueue] {
        guard let queue else { continue }
        var byte: UInt8 = 1
        rd_kafka_queue_io_event_enable(queue, descriptor, &byte, 1)
      }
    }
  }

  /// To be called before the descriptor is closed. After it nothing is written.
  func disableNotices() {
    _ = use { _ in
      disable(mainQueue)
      if let messageQueue { disable(messageQueue) }
    }
  }

  private func disable(_ queue: OpaquePointer) { rd_kafka_queue_io_event_enable(queue, -1, nil, 0) }

  /// What the library told of the connection since; nil when that was all.
  func nextFailure() -> KafkaFailure? {
    if kind == .consumer { _ = serve { _ in } }
    return failures.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  /// Takes what the main queue has: calls `body` for each message that has a report, and keeps errors. True: there may be more.
  func serve(_ body: (DeliveryReport) -> Void) -> Bool {
    use { pointer in
      let log = sendLog?.takeUnretainedValue()
      var left = Self.reportsAtOnce
      while left > 0 {
        guard let event = rd_kafka_queue_poll(mainQueue, 0) else { return false }
        defer { rd_kafka_event_destroy(event) }
        left -= 1
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
          let count = rd_kafka_event_message_count(event)
          while let message = rd_kafka_event_message_next(event) {
            left -= 1
            body(DeliveryReport(message, of: count, log))
          }
        case RD_KAFKA_EVENT_ERROR: keep(failure(of: event, pointer))
        default: break
        }
      }
      return true
    } ?? false
  }

  private func failure(of event: OpaquePointer, _ pointer: OpaquePointer) -> KafkaFailure {
    let code = KafkaCode(rd_kafka_event_error(event))
    if rd_kafka_event_error_is_fatal(event) != 0 || code == .fatal { return fatalFailure(pointer) }
    let words = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? code.words
    return KafkaFailure(code, words).withCause
  }

  private func fatalFailure(_ pointer: OpaquePointer) -> KafkaFailure {
    var reason = [CChar](repeating: 0, count: 512)
    rd_kafka_fatal_error(pointer, &reason, reason.count)
    return KafkaFailure(.fatal, Self.text(reason))
  }

  private func keep(_ failure: KafkaFailure) {
    failures.withLock { failures in
      if failures.count < Self.maximumFailures { failures.append(failure) }
    }
  }

  // MARK: Topics

  /// Each costs some kilobytes, and names are chosen by whoever publishes or subscribes.
  private static let maximumTopics = 65_536
  private static let tooManyTopics = KafkaFailure(
    .invalidArgument,
    "This connection has to do with \(maximumTopics) topics already. Use one for all channels: add ?topic=NAME to the URL."
  )

  var topicCount: Int { topics.withLock { $0.count } }

  /// The topic's handle, which is there until the handle's own end. A name that is known leads to the same one.
  ///
  /// - Parameter opaque: Is kept for the topic; another number above 0 for each topic where none is given.
  func topic(_ name: String, opaque: UnsafeMutableRawPointer? = nil) throws(KafkaFailure) -> OpaquePointer {
    let result: Result<UInt, KafkaFailure>? = use { pointer in
      topics.withLock { topics in
        if let known = topics[name] { return .success(known) }
        guard topics.count < Self.maximumTopics else { return .failure(Self.tooManyTopics) }
        let configuration = rd_kafka_default_topic_conf_dup(pointer)
        rd_kafka_topic_conf_set_opaque(configuration, opaque ?? UnsafeMutableRawPointer(bitPattern: topics.count + 1))
        guard let topic = rd_kafka_topic_new(pointer, name, configuration) else {
          rd_kafka_topic_conf_destroy(configuration)
          return .failure(.last())
        }
        topics[name] = UInt(bitPattern: topic)
        return .success(UInt(bitPattern: topic))
      }
    }
    let bits = try (result ?? .failure(.destroyed)).get()
    guard let topic = OpaquePointer(bitPattern: bits) else { throw .destroyed }
    return topic
  }
}
