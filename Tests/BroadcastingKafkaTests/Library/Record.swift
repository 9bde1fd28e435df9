//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

@testable import BroadcastingKafka

/// What a record holds, after its memory has gone back to the library.
struct Record: Equatable {
  var slot: Int
  var partition: Int32
  var offset: Int64
  var key: String?
  var value: [UInt8]?
  var headers: [Message.Header] = []

  init(_ view: RecordView) {
    slot = view.slot
    partition = view.partition
    offset = view.offset
    if view.key.baseAddress != nil { key = String(decoding: view.key, as: UTF8.self) }
    if view.value.baseAddress != nil { value = Array(view.value) }
    headers = view.headers()
  }

  var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

extension ConsumerHandle {
  /// All that is there: records, and what else was told.
  func take() -> (records: [Record], codes: [KafkaCode]) {
    var records: [Record] = []
    var codes: [KafkaCode] = []
    var hasMore = true
    while hasMore {
      hasMore = read { batch in
        for index in 0..<batch.count {
          let view = batch[index]
          if let code = view.code { codes.append(code) } else { records.append(Record(view)) }
        }
      }
    }
    return (records, codes)
  }
}

extension ProducerHandle {
  func take() -> [DeliveryReport] {
    var reports: [DeliveryReport] = []
    while self.reports({ reports.append($0) }) {}
    return reports
  }
}
