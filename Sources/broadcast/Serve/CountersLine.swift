//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The counters for the log, when something has changed.
struct CountersLine: Sendable {
  private var last = BroadcastStatistics()

  /// Nil while nothing has happened since the last line.
  mutating func fields(for now: BroadcastStatistics) -> [LogLine.Field]? {
    let last = self.last
    self.last = now
    guard
      now.published != last.published || now.delivered != last.delivered || now.dropped != last.dropped
        || now.gaps != last.gaps || now.reconnects != last.reconnects
    else { return nil }
    var fields: [LogLine.Field] = [
      .init("published", .number(now.published)), .init("delivered", .number(now.delivered)),
      .init("dropped", .number(now.dropped)), .init("gaps", .number(now.gaps)),
      .init("reconnects", .number(now.reconnects)), .init("channels", .number(now.channels)),
      .init("bytes-held", .number(now.bytesHeld)),
    ]
    if now.filled > 0 { fields.append(.init("filled", .number(now.filled))) }
    if now.historyBytes > 0 { fields.append(.init("history-bytes", .number(now.historyBytes))) }
    if now.unrecorded > 0 { fields.append(.init("unrecorded", .number(now.unrecorded))) }
    if let delay = now.probeDelay {
      fields.append(.init("probe-us", .number(Int((delay / .microseconds(1)).rounded()))))
    }
    return fields
  }
}
