//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Prints what a subscription delivers, and tells where messages are missing.
struct Printer: Sendable {
  let output: OutputWriter
  let notes: Notes
  let format: MessageFormat
  /// After so many messages it is done; nil: never.
  let count: Int?

  /// Returns when ``count`` messages are written, or the subscription ends.
  func print(_ subscription: Subscription) async throws {
    var left = count ?? .max
    for try await batch in subscription.batches {
      let time = Timestamp.now()
      for delivery in batch {
        switch delivery {
        case .message(let message):
          try await output.write(format.bytes(of: message, at: time))
          left -= 1
          if left == 0 { return try await output.flush() }
        case .gap(let gap):
          // What came before it is written first, so that it stands in its place where both go to the same terminal.
          try await output.flush()
          notes(Self.line(for: gap))
        }
      }
    }
  }

  static func line(for gap: Gap) -> String {
    let count = gap.missed
    let messages = "\(count.map { "\($0) " } ?? "")message\(count == 1 ? "" : "s") of \(gap.channel)"
    let were = count == 1 ? "was" : "were"
    switch gap.reason {
    case .connectionLost: return "\(messages) may have been missed while the connection was lost"
    case .slowConsumer, .memoryLimit:
      return "\(messages) \(were) missed: the output is read too slowly for --max-backlog"
    case .historyTrimmed: return "\(messages) \(were) missed: the history no longer has them"
    case .historyRestarted: return "\(messages) may have been missed: the history began anew"
    case .brokerLoss: return "\(messages) \(were) missed: the server or broker could not deliver them"
    default: return "\(messages) \(were) missed: \(gap.reason)"
    }
  }
}
