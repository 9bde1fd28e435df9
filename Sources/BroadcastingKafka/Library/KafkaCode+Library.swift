//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CRdkafka

extension KafkaCode {
  init(_ code: rd_kafka_resp_err_t) { self.init(rawValue: Int32(code.rawValue)) }

  /// What librdkafka says of it.
  var words: String {
    rd_kafka_err2str(rd_kafka_resp_err_t(rawValue: numericCast(rawValue))).map { String(cString: $0) } ?? "unknown"
  }
}

extension KafkaFailure {
  /// A log-in that came to no answer is no refused one, though the library calls both so: its words tell why.
  var withCause: KafkaFailure {
    guard code == .authentication else { return self }
    let cause = [KafkaCode.transport, .timedOut, .timedOutInQueue].first { text.contains($0.words) }
    return cause.map { KafkaFailure($0, text) } ?? self
  }

  init(_ code: KafkaCode) { self.init(code, code.words) }

  init(_ code: rd_kafka_resp_err_t) { self.init(KafkaCode(code)) }

  /// Why the last call on this thread failed.
  static func last() -> KafkaFailure { KafkaFailure(rd_kafka_last_error()) }
}
