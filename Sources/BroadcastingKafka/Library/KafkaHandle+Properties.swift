//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

/// What a handle is made of.
extension KafkaHandle {
  static func configuration(_ values: [String: String]) throws(KafkaFailure) -> OpaquePointer {
    guard let configuration = rd_kafka_conf_new() else { throw KafkaFailure(.invalidArgument, "There is no memory.") }
    // By default it writes to standard error. Whoever asks for its diary gets it there.
    if values["debug"] == nil { rd_kafka_conf_set_log_cb(configuration, nil) }
    if let (name, reason) = set(values, in: configuration) {
      rd_kafka_conf_destroy(configuration)
      throw KafkaFailure(.invalidArgument, "\(name): \(reason)")
    }
    return configuration
  }

  /// The first property that the library does not take, with its reason.
  static func refusedProperty(_ values: [String: String]) -> (name: String, reason: String)? {
    guard let configuration = rd_kafka_conf_new() else { return nil }
    defer { rd_kafka_conf_destroy(configuration) }
    return set(values, in: configuration)
  }

  private static func set(
    _ values: [String: String], in configuration: OpaquePointer
  ) -> (name: String, reason: String)? {
    var reason = [CChar](repeating: 0, count: 512)
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      let result = rd_kafka_conf_set(configuration, name, value, &reason, reason.count)
      if result != RD_KAFKA_CONF_OK { return (name, text(reason)) }
    }
    return nil
  }

  /// Makes a handle without a broker and destroys it: only then the library compares properties with each other, and reads the
  /// files that they name. Nothing is sent, run or written.
  static func tryOut(_ kind: Kind, _ values: [String: String]) throws(KafkaFailure) {
    var values = values
    for name in ["bootstrap.servers", "debug"] { values[name] = nil }
    let configuration = try configuration(values)
    // Without it the command that gets a ticket is not run, which would be at once. A library without Kerberos does not know it.
    rd_kafka_conf_set(configuration, "sasl.kerberos.min.time.before.relogin", "0", nil, 0)
    var reason = [CChar](repeating: 0, count: 512)
    guard let pointer = rd_kafka_new(kind.type, configuration, &reason, reason.count) else {
      let code = KafkaCode(rd_kafka_last_error())
      rd_kafka_conf_destroy(configuration)
      throw KafkaFailure(code == .none ? .invalidArgument : code, text(reason))
    }
    rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }

  static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
