//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingTesting

@testable import Broadcasting

/// Memory with one fault, chosen by the chapter that has to find it.
struct BrokenBroadcast: Broadcast {
  private final class Memory: Sendable {
    let channels = Lock<Set<Channel>>([])
    let subscriptions = Lock<[Subscription]>([])
  }

  let fault: ConformanceSuite.Chapter
  private let base: MemoryBroadcast
  private let memory = Memory()

  init(breaking fault: ConformanceSuite.Chapter) {
    self.fault = fault
    base = MemoryBroadcast(configuration: fault == .positions ? .init() : .conformance)
  }

  var capabilities: Capabilities {
    var capabilities = base.capabilities
    if fault == .payloadLimit { capabilities.maximumPayloadBytes = 100 }
    if fault == .positions { capabilities.hasPositions = true }
    return capabilities
  }

  var statistics: BroadcastStatistics { base.statistics }

  func run() async throws(BroadcastError) { try await base.run() }

  func publish(_ message: Message) async throws(BroadcastError) -> Receipt {
    switch fault {
    case .content:
      return try await base.publish(Message(message.payload, to: message.channel))
    case .headers:
      return try await base.publish(Message(message.text ?? "", to: message.channel))
    case .channelNames:
      return try await base.publish(Message(message.text ?? "", to: Channel(message.channel.name.lowercased())))
    case .invalidNames:
      if failsToValidate(message.channel) { return Receipt() }
    case .promptness:
      if memory.channels.withLock({ $0.insert(message.channel).inserted }) { return Receipt() }
    case .comingBack:
      if memory.channels.withLock({ $0.contains(message.channel) }) { return Receipt() }
      memory.channels.withLock { _ = $0.insert(message.channel) }
    case .commonOrder:
      // Half of the subscribers hear on another channel, in another order.
      if message.payload.last.map({ $0 % 2 == 0 }) == true { try await base.publish(message.moved(to: "other")) }
      try await base.publish(message)
      if message.payload.last.map({ $0 % 2 == 1 }) == true { try await base.publish(message.moved(to: "other")) }
      return Receipt()
    case .lifecycle:
      return (try? await base.publish(message)) ?? Receipt()
    default: break
    }
    return try await base.publish(message)
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try await base.publish(fault == .order ? messages.reversed() : messages)
  }

  func subscribe(
    to channels: [Channel], options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    switch fault {
    case .invalidNames where channels.contains(where: failsToValidate):
      return try await base.subscribe(to: ["valid"])
    case .channelNames:
      return try await base.subscribe(to: channels.map { Channel($0.name.lowercased()) })
    case .recovery, .joining:
      // The past is left out.
      return try await base.subscribe(to: channels, options: .init(buffer: options.buffer))
    case .earlierMessages:
      let subscription = try await base.subscribe(to: channels)
      try await base.publish("before", to: channels[0])
      return subscription
    case .gaps:
      return try await base.subscribe(to: channels)
    case .severalChannels:
      return try await base.subscribe(to: [channels[0]])
    case .firstSubscribers:
      let isFirst = memory.channels.withLock { $0.insert(channels[0]).inserted }
      return try await base.subscribe(to: isFirst ? channels : ["nothing here"])
    case .commonOrder:
      let isFirst = memory.channels.withLock { $0.insert(channels[0]).inserted }
      return try await base.subscribe(to: isFirst ? channels : ["other"])
    case .leaving:
      let subscription = try await base.subscribe(to: channels, options: options)
      memory.subscriptions.withLock { $0.append(subscription) }
      return subscription
    default:
      return try await base.subscribe(to: channels, options: options)
    }
  }

  func historyPolicy(of channel: Channel) -> HistoryPolicy? { base.historyPolicy(of: channel) }

  func history(
    of channel: Channel, from start: SubscriptionStart, limit: Int
  ) async throws(BroadcastError) -> History {
    var history = try await base.history(of: channel, from: start, limit: limit)
    if fault == .history, history.messages.count > 1 { history.messages.removeFirst() }
    return history
  }

  func subscribe(
    to pattern: ChannelPattern, options: SubscriptionOptions
  ) async throws(BroadcastError) -> Subscription {
    guard fault == .patterns else { return try await base.subscribe(to: pattern, options: options) }
    // A pattern is taken for a name.
    return try await base.subscribe(to: [Channel(pattern.glob)], options: options)
  }

  func enterPresence(on channel: Channel, as member: PresenceMember) async throws(BroadcastError) -> PresenceEntry {
    try await base.enterPresence(on: channel, as: member)
  }

  func presence(of channel: Channel) async throws(BroadcastError) -> [PresenceMember] {
    let members = try await base.presence(of: channel)
    // The infos are left out.
    return fault == .presence ? members.map { PresenceMember($0.name) } : members
  }

  func presenceUpdates(of channel: Channel) async throws(BroadcastError) -> PresenceUpdates {
    // Where nobody enters.
    try await base.presenceUpdates(of: fault == .presenceUpdates ? "other" : channel)
  }

  private func failsToValidate(_ channel: Channel) -> Bool { (try? channel.validate()) == nil }
}

extension Message {
  fileprivate func moved(to channel: Channel) -> Message { Message(payload, to: channel) }
}
