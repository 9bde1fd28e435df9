//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingRedis
import TestSupport
import Testing

extension Broker {
  /// Redis on which each channel keeps so many messages.
  static func redisHistory(of messages: Int) -> Broker {
    var broker = redisHistory
    broker.open = { url, events in
      var configuration = RedisBroadcast.Configuration { events.append($0) }
      configuration.hub.history = [.init("*", HistoryPolicy(maximumMessages: messages))]
      return try BroadcastBackend.open(url, among: [.redis(configuration)])
    }
    return broker
  }

  /// One that has its data again after a restart. What that is worth is not known.
  static let redisWithData: Broker = {
    var broker = redisHistory
    broker.name = "Redis with histories and its data"
    broker.serve = { _, body in
      var options = RedisServer.Options()
      options.keepsData = true
      try await RedisServer.with(options) { try await body($0) }
    }
    return broker
  }()

  /// The same, of which is said that it loses nothing.
  static let redisWithoutLoss: Broker = {
    var broker = redisWithData
    broker.name = "Redis with histories that outlive it"
    broker.hasHistories = false
    broker.open = { url, events in
      var configuration = RedisBroadcast.Configuration { events.append($0) }
      configuration.historyOutlivesServer = true
      configuration.hub.history = [
        .init("*", HistoryPolicy(maximumMessages: 50_000, maximumBytes: HistoryPolicy.greatestBytes))
      ]
      return try BroadcastBackend.open(url, among: [.redis(configuration)])
    }
    return broker
  }()

  /// Publishes numbers, one after the other.
  static func publish(_ numbers: Range<Int>, to channel: Channel, of broadcast: any Broadcast) async throws
    -> [MessagePosition]
  {
    let receipts = try await broadcast.publish(numbers.map { Message("\($0)", to: channel) })
    return try receipts.map { try #require($0.position) }
  }
}

/// What came, in short: a number, or a gap.
enum Heard: Equatable, CustomStringConvertible {
  case number(Int)
  case gap(Gap.Reason, missed: Int?)

  init(_ delivery: Delivery) throws {
    switch delivery {
    case .gap(let gap): self = .gap(gap.reason, missed: gap.missed)
    case .message(let message): self = .number(try #require(message.text.flatMap { Int($0) }))
    }
  }

  var isNumber: Bool { if case .number = self { true } else { false } }

  var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .gap(let reason, let missed): "gap(\(reason), \(missed.map { "\($0)" } ?? "?"))"
    }
  }

  static func numbers(_ range: Range<Int>) -> [Heard] { range.map { .number($0) } }
}

extension Subscription.Iterator {
  /// Reads up to a number, and that too.
  mutating func heard(until last: Int) async throws -> [Heard] {
    var heard: [Heard] = []
    while heard.last != .number(last) {
      heard.append(try Heard(try #require(try await next(), "\(heard) was all that came.")))
    }
    return heard
  }
}
