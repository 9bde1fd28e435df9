//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What subscribers share a feed for: a channel, or a pattern. The channel "a*" and the pattern "a*" are two topics.
enum Topic: Sendable, Hashable {
  case channel(Channel)
  case pattern(ChannelPattern)

  var channel: Channel? { if case .channel(let channel) = self { channel } else { nil } }
  var pattern: ChannelPattern? { if case .pattern(let pattern) = self { pattern } else { nil } }
}

extension Topic: CustomStringConvertible {
  var description: String {
    switch self {
    case .channel(let channel): "\"\(channel)\""
    case .pattern(let pattern): "the pattern \"\(pattern)\""
    }
  }
}

extension Gap {
  init(_ topic: Topic, missed: Int?, reason: Reason) {
    switch topic {
    case .channel(let channel): self.init(channel: channel, missed: missed, reason: reason)
    case .pattern(let pattern): self.init(pattern: pattern, missed: missed, reason: reason)
    }
  }

  var topic: Topic { pattern.map { .pattern($0) } ?? .channel(channel) }
}

extension BroadcastEvent {
  init(_ kind: Kind, _ topic: Topic, count: Int? = nil, delay: Duration? = nil, error: BroadcastError? = nil) {
    self.init(kind, channel: topic.channel, pattern: topic.pattern, count: count, delay: delay, error: error)
  }
}
