//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Gathers what one look at the socket brought, so that neighbours of the same channel go to the hub together.
struct ArrivedMessages {
  enum Name: Equatable {
    case channel(Channel)
    /// Another program's probe, which is nobody's message.
    case probe
    /// No channel of ours can have this name.
    case impossible
  }

  struct Batch {
    var channel: Channel
    var pattern: ChannelPattern?
    var messages: [Message]
  }

  private var channel = Channel("")
  private var patternBytes: [UInt8]?
  private var messages: [Message] = []

  // The last name that was looked at, and what it turned out to be.
  private var lastName: [UInt8] = []
  private var lastResult = Name.impossible

  /// What a channel's name on the wire is.
  mutating func name(_ bytes: [UInt8]) -> Name {
    if bytes == lastName { return lastResult }
    lastName = bytes
    lastResult = Self.resolve(bytes)
    return lastResult
  }

  private static func resolve(_ bytes: [UInt8]) -> Name {
    if bytes.starts(with: Channel.reservedPrefix.utf8) { return .probe }
    guard let channel = Channel(utf8: bytes) else { return .impossible }
    do throws(BroadcastError) { try channel.validate() } catch { return .impossible }
    return .channel(channel)
  }

  /// Adds a message. Returns those before it, where they are another channel's.
  mutating func add(_ payload: [UInt8], on channel: Channel, matching pattern: [UInt8]?) -> Batch? {
    var before: Batch?
    if messages.isEmpty || pattern != patternBytes || channel != self.channel {
      before = takeAll()
      self.channel = channel
      patternBytes = pattern
    }
    messages.append(Envelope.decode(payload, channel: self.channel))
    return before
  }

  /// What has been gathered.
  mutating func takeAll() -> Batch? {
    if messages.isEmpty { return nil }
    defer { messages = [] }
    let pattern = patternBytes.map { ChannelPattern(String(decoding: $0, as: UTF8.self)) }
    return Batch(channel: channel, pattern: pattern, messages: messages)
  }
}
