//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Writes what a backend tells, and its counters, to the log.
struct BrokerLog: Sendable {
  let log: Log

  func callAsFunction(_ event: BroadcastEvent) {
    let name = "broker-\(event.kind)"
    let fields = Self.fields(of: event)
    switch Self.trouble(of: event) {
    case let trouble?: log.about(trouble, Self.level(of: event), name, fields)
    case nil: log(Self.level(of: event), name, fields)
    }
  }

  static func fields(of event: BroadcastEvent) -> [LogLine.Field] {
    var fields: [LogLine.Field] = []
    if let channel = event.channel { fields.append(.init("channel", .text(channel.name))) }
    if let pattern = event.pattern { fields.append(.init("pattern", .text(pattern.glob))) }
    if let count = event.count { fields.append(.init("count", .number(count))) }
    if let delay = event.delay { fields.append(.init("delay", .text(TimeSpan.format(delay)))) }
    // Without what caused it, which the message has in it.
    if let error = event.error { fields.append(.init("error", .text("\(error.code): \(error.message)"))) }
    return fields
  }

  /// Nil for what happens once.
  static func trouble(of event: BroadcastEvent) -> LogTrouble? {
    switch event.kind {
    case .running, .ended, .probeSlow: nil
    case .dropped: event.error == nil ? .subscribers : .messages
    default: event.channel == nil && event.pattern == nil ? .broker : .channels
    }
  }

  private static func level(of event: BroadcastEvent) -> LogLevel {
    switch event.kind {
    case .connectionLost, .refused, .retrying, .dropped, .unrecorded, .probeSlow: .warning
    default: .info
    }
  }
}
