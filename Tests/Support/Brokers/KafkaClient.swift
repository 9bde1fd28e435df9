//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A client of a Kafka for the length of one job on one thread, which may block.
struct KafkaClient {
  let pointer: OpaquePointer
  private static let limit: Int32 = 20_000

  init(_ servers: String) throws(ProgramError) {
    let configuration = rd_kafka_conf_new()
    var reason = [CChar](repeating: 0, count: 512)
    // A server that is just starting is asked again soon.
    let properties = [
      "bootstrap.servers": servers, "client.id": "tests", "reconnect.backoff.ms": "20",
      "reconnect.backoff.max.ms": "100", "linger.ms": "0", "allow.auto.create.topics": "false",
    ]
    for (name, value) in properties {
      rd_kafka_conf_set(configuration, name, value, &reason, reason.count)
    }
    rd_kafka_conf_set_log_cb(configuration, nil)
    rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
    guard let pointer = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
      rd_kafka_conf_destroy(configuration)
      throw ProgramError(.notStarted, "no client of Kafka: \(text(reason))")
    }
    self.pointer = pointer
  }

  func destroy() {
    rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
    rd_kafka_destroy(pointer)
  }

  // MARK: Administration

  /// The answer to a request, to be destroyed.
  func answer(
    _ what: String, _ ask: (_ handle: OpaquePointer, _ queue: OpaquePointer) -> Void
  ) throws(ProgramError) -> OpaquePointer {
    guard let queue = rd_kafka_queue_new(pointer) else { throw ProgramError(.notStarted, "no queue") }
    defer { rd_kafka_queue_destroy(queue) }
    ask(pointer, queue)
    guard let event = rd_kafka_queue_poll(queue, Self.limit) else {
      throw ProgramError(.timedOut, "\(what): no answer")
    }
    if rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR {
      let reason = string(rd_kafka_event_error_string(event))
      rd_kafka_event_destroy(event)
      throw ProgramError(.refused, "\(what): \(reason)")
    }
    return event
  }

  /// The same for a request that answers for each topic.
  func ask(
    _ what: String, _ ask: (_ handle: OpaquePointer, _ queue: OpaquePointer) -> Void,
    results: (_ event: OpaquePointer, _ count: inout Int) -> UnsafeMutablePointer<OpaquePointer?>?
  ) throws(ProgramError) {
    let event = try answer(what, ask)
    defer { rd_kafka_event_destroy(event) }
    var count = 0
    let topics = results(event, &count)
    for index in 0..<count {
      guard let topic = topics?[index], rd_kafka_topic_result_error(topic) != RD_KAFKA_RESP_ERR_NO_ERROR else {
        continue
      }
      throw ProgramError(.refused, "\(what): \(string(rd_kafka_topic_result_error_string(topic)))")
    }
  }

  struct Metadata {
    var brokers: Int
    var topics: [String: [KafkaAdmin.Partition]]

    /// Whether every partition has a leader.
    var isLed: Bool { topics.values.allSatisfy { $0.allSatisfy { $0.leader != nil } } }
  }

  func metadata(within milliseconds: Int32 = limit) throws(ProgramError) -> Metadata {
    var answer: UnsafePointer<rd_kafka_metadata>?
    let code = rd_kafka_metadata(pointer, 1, nil, &answer, milliseconds)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
      throw ProgramError(.refused, "ask for metadata: \(string(rd_kafka_err2str(code)))")
    }
    defer { rd_kafka_metadata_destroy(answer) }
    var metadata = Metadata(brokers: Int(answer.pointee.broker_cnt), topics: [:])
    for topic in UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt)) {
      let name = string(topic.topic)
      guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
        // It is being made, or goes.
        metadata.topics[name] = [KafkaAdmin.Partition(leader: nil, replicas: [], inSync: [])]
        continue
      }
      metadata.topics[name] = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt)).map {
        KafkaAdmin.Partition(
          leader: $0.leader < 0 ? nil : Int($0.leader), replicas: numbers($0.replicas, $0.replica_cnt),
          inSync: numbers($0.isrs, $0.isr_cnt))
      }
    }
    return metadata
  }

  private func numbers(_ start: UnsafePointer<Int32>?, _ count: Int32) -> Set<Int> {
    Set(UnsafeBufferPointer(start: start, count: Int(count)).map { Int($0) })
  }

  /// All topics with how many partitions they have. It fails while a partition has no leader.
  func topics() throws(ProgramError) -> [String: Int] {
    let metadata = try metadata()
    guard metadata.isLed else { throw ProgramError(.refused, "a partition has no leader") }
    return metadata.topics.mapValues(\.count)
  }

  /// The offset behind the last message of each partition.
  func ends(of topic: String, partitions: Int) throws(ProgramError) -> [Int] {
    guard let list = rd_kafka_topic_partition_list_new(Int32(partitions)) else {
      throw ProgramError(.notStarted, "no list of the partitions of \(topic)")
    }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for partition in 0..<partitions {
      rd_kafka_topic_partition_list_add(list, topic, Int32(partition)).pointee.offset = -1
    }
    try check(rd_kafka_offsets_for_times(pointer, list, Self.limit), "ask for the ends of \(topic)")
    return try (0..<partitions).map { partition throws(ProgramError) in
      try check(list.pointee.elems[partition].err, "ask for the end of partition \(partition) of \(topic)")
      return Int(list.pointee.elems[partition].offset)
    }
  }

  /// Returns when a topic has so many partitions, and each one's leader answers for it. That a leader is named is not
  /// enough: for a moment it refuses the partition as not its own.
  func waitForLeaders(of topic: String, partitions: Int) throws(ProgramError) {
    let end = ContinuousClock.now + .milliseconds(Int(Self.limit))
    while ContinuousClock.now < end {
      if let topics = try? topics(), topics[topic] == partitions,
        (try? ends(of: topic, partitions: partitions)) != nil
      {
        return
      }
      // Between two looks, so that a thread which waits doesn't spin.
      usleep(10_000)
    }
    throw ProgramError(.timedOut, "the leaders of \(topic) did not come")
  }

  // MARK: Messages

  func produce(_ record: KafkaAdmin.Record, to topic: String) throws(ProgramError) {
    // Copies, since a null pointer and no bytes are two things here.
    var copies: [UnsafeMutableRawPointer] = []
    defer { for copy in copies { copy.deallocate() } }
    func copy(_ bytes: [UInt8]?) -> UnsafeMutableRawPointer? {
      guard let bytes else { return nil }
      let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
      bytes.withUnsafeBytes { if let start = $0.baseAddress { copy.copyMemory(from: start, byteCount: $0.count) } }
      copy.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
      copies.append(copy)
      return copy
    }
    var arguments: [rd_kafka_vu_t] = []
    func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t) -> Void) {
      var argument = rd_kafka_vu_t()
      argument.vtype = type
      set(&argument)
      arguments.append(argument)
    }
    add(RD_KAFKA_VTYPE_TOPIC) {
      $0.u.cstr = copy(Array(topic.utf8)).map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
    }
    add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = Int32(record.partition ?? -1) }
    add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
    for (type, bytes) in [(RD_KAFKA_VTYPE_KEY, record.key), (RD_KAFKA_VTYPE_VALUE, record.value)] {
      add(type) {
        $0.u.mem.ptr = copy(bytes)
        $0.u.mem.size = bytes?.count ?? 0
      }
    }
    for (name, value) in record.headers {
      add(RD_KAFKA_VTYPE_HEADER) {
        $0.u.header.name = copy(Array(name.utf8)).map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
        $0.u.header.val = copy(value).map { UnsafeRawPointer($0) }
        $0.u.header.size = value?.count ?? 0
      }
    }
    guard let error = rd_kafka_produceva(pointer, arguments, arguments.count) else { return }
    defer { rd_kafka_error_destroy(error) }
    throw ProgramError(.refused, "produce to \(topic): \(string(rd_kafka_error_string(error)))")
  }

  /// Returns when so many messages have been taken by the broker.
  func waitForReports(of count: Int, to topic: String) throws(ProgramError) {
    guard let queue = rd_kafka_queue_get_main(pointer) else { throw ProgramError(.notStarted, "no queue") }
    defer { rd_kafka_queue_destroy(queue) }
    var left = count
    while left > 0 {
      guard let event = rd_kafka_queue_poll(queue, Self.limit) else {
        throw ProgramError(.timedOut, "produce to \(topic): \(left) messages have no report")
      }
      defer { rd_kafka_event_destroy(event) }
      while let message = rd_kafka_event_message_next(event) {
        try check(message.pointee.err, "produce to \(topic)")
        left -= 1
      }
    }
  }
}

func check(_ code: rd_kafka_resp_err_t, _ what: String) throws(ProgramError) {
  if code != RD_KAFKA_RESP_ERR_NO_ERROR {
    throw ProgramError(.refused, "\(what): \(string(rd_kafka_err2str(code)))")
  }
}

/// What a C function wrote into a buffer.
func text(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func string(_ characters: UnsafePointer<CChar>?) -> String { characters.map { String(cString: $0) } ?? "no reason" }
