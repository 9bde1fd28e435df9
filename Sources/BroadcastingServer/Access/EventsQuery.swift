//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// What the query of a socket says: `?channel=a&channel=b&last=10&positions=true`.
struct EventsQuery: Sendable, Hashable {
  /// Each once; `events` if it names none.
  var channels: [Channel] = []
  var start = SubscriptionStart.live
  /// Whether each frame begins with a line that says where it stands.
  var positions = false
}

/// What the query of a history says: `?channel=a&limit=10&after=EPOCH-OFFSET`, or with `last=20` in place of `after`: the first
/// 10 of the last 20. With neither it is the last 10.
struct HistoryRequest: Sendable, Hashable {
  /// The most messages of an answer, which is in memory as a whole.
  static let maximumLimit = 1_000
  static let usualLimit = 100

  var channel: Channel
  var start: SubscriptionStart
  var limit: Int
}

extension ClientRules {
  /// - Throws: ``RequestError`` with 400 for a parameter that is not known, stands there twice, or says nothing that it could
  ///   mean: a typing error must not lead to another channel, or another past.
  func events(of request: Request) throws -> EventsQuery {
    var query = EventsQuery()
    var values = QueryValues(["last", "after", "positions"])
    for (name, value) in try request.query() {
      if try values.take(name, value) { continue }
      guard try isChannel(name, known: "channel, last, after, positions") else { continue }
      let channel = Channel(value)
      if query.channels.contains(channel) { continue }
      try check(channel)
      guard query.channels.count < maximumChannels else {
        throw RequestError(
          .badRequest, "too_many_channels",
          "A socket may have \(maximumChannels == 1 ? "one channel" : "\(maximumChannels) channels").")
      }
      query.channels.append(channel)
    }
    if query.channels.isEmpty { query.channels = [try usualChannel()] }
    query.positions = try values.bool("positions") ?? false
    let last = try values.number("last", in: 0...History.maximumMessages)
    let after = try values.position("after")
    switch (last, after) {
    case (_?, _?):
      throw RequestError(
        .badRequest, "contradictory_start", "A socket begins with the last messages or after a position, not with both."
      )
    case (let last?, nil): query.start = .last(last)
    case (nil, let after?):
      guard query.channels.count == 1 else {
        throw RequestError(
          .badRequest, "misplaced_after",
          "A position belongs to one channel, and this socket has \(query.channels.count). Open one for each of them.")
      }
      query.start = .after(after)
    case (nil, nil): break
    }
    return query
  }

  /// - Throws: as ``events(of:)``.
  func history(of request: Request) throws -> HistoryRequest {
    var named: Channel?
    var values = QueryValues(["limit", "last", "after"])
    for (name, value) in try request.query() {
      if try values.take(name, value) { continue }
      guard try isChannel(name, known: "channel, limit, last, after") else { continue }
      guard named == nil else {
        throw RequestError(.badRequest, "too_many_channels", "A history is that of one channel, which is named once.")
      }
      named = Channel(value)
    }
    if let named { try check(named) }
    let limit = try values.number("limit", in: 1...HistoryRequest.maximumLimit) ?? HistoryRequest.usualLimit
    let last = try values.number("last", in: 0...HistoryPolicy.greatestMessages)
    let after = try values.position("after")
    let start: SubscriptionStart
    switch (last, after) {
    case (_?, _?):
      throw RequestError(
        .badRequest, "contradictory_start", "A history is asked for the last messages or after a position, not both.")
    case (nil, let after?): start = .after(after)
    case (let last, nil): start = .last(last ?? limit)
    }
    return HistoryRequest(channel: try named ?? usualChannel(), start: start, limit: limit)
  }
}

/// Values of a query that may stand there once each.
private struct QueryValues {
  private let names: Set<String>
  private var values: [String: String] = [:]

  init(_ names: Set<String>) { self.names = names }

  /// False for a name that is none of them.
  mutating func take(_ name: String, _ value: String) throws(RequestError) -> Bool {
    guard names.contains(name) else { return false }
    guard values.updateValue(value, forKey: name) == nil else {
      throw RequestError(.badRequest, "repeated_parameter", "The query has the parameter \(name) more than once.")
    }
    return true
  }

  func number(_ name: String, in range: ClosedRange<Int>) throws(RequestError) -> Int? {
    guard let text = values[name] else { return nil }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { .zero ... .nine ~= $0 }
    guard isNumber, let number = Int(text), range.contains(number) else {
      throw RequestError(
        .badRequest, "invalid_parameter",
        "The parameter \(name) is a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  func bool(_ name: String) throws(RequestError) -> Bool? {
    switch values[name] {
    case nil: return nil
    case "true": return true
    case "false": return false
    default: throw RequestError(.badRequest, "invalid_parameter", "The parameter \(name) is true or false.")
    }
  }

  func position(_ name: String) throws(RequestError) -> MessagePosition? {
    guard let text = values[name] else { return nil }
    guard let position = MessagePosition(text) else {
      throw RequestError(
        .badRequest, "invalid_position",
        """
        The parameter \(name) is a position as the server gives it, such as 1795293978319901-42, or 0-0 for all that is \
        kept.
        """)
    }
    return position
  }
}
