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
    let detail = LogLine.Field("detail", .text(event.description))
    switch Self.trouble(of: event) {
    case let trouble?: log.about(trouble, Self.level(of: event), name, detail)
    case nil: log(Self.level(of: event), name, detail)
    }
  }

  /// Nil for what happens once.
  static func trouble(of event: BroadcastEvent) -> LogTrouble? {
    switch event.kind {
    case .running, .ended, .probeSlow: nil
    case .dropped: .subscribers
    default: event.channel == nil && event.pattern == nil ? .broker : .channels
    }
  }

  private static func level(of event: BroadcastEvent) -> LogLevel {
    switch event.kind {
    case .connectionLost, .refused, .retrying, .dropped, .probeSlow: .warning
    default: .info
    }
  }
}
