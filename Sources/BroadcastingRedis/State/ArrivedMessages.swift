//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Gathers what one look at the socket brought, so that neighbours of the same channel go to the hub together.
struct ArrivedMessages {
  /// Messages of one channel, that all came by its name or all by one pattern.
  struct Batch: Equatable {
    var channel: Channel
    var pattern: ChannelPattern?
    var messages: [Message]
  }

  enum Result: Equatable {
    case added
    /// It begins a new batch, and this is the one before.
    case addedAfter(Batch)
    /// It is a probe, of this program or of another, and was not added.
    case probe
    /// No channel here can have that name. It was not added.
    case impossibleName
  }

  private enum Meaning {
    case channel(Channel)
    case probe
    case impossible
  }

  /// The hub keeps them together as they come up to this.
  private static let maximumMessages = 256

  // Of the last message: most are on the channel of the one before.
  private var name: [UInt8]?
  private var channel = Channel("")
  private var pattern: [UInt8]?
  private var messages: [Message] = []

  /// Adds a message as it came over the wire.
  mutating func add(
    _ payload: UnsafeRawBufferPointer, on name: UnsafeRawBufferPointer,
    matching pattern: UnsafeRawBufferPointer? = nil, at position: MessagePosition? = nil
  ) -> Result {
    if let last = self.name, name.isSame(as: last), isCurrent(pattern), messages.count < Self.maximumMessages {
      messages.append(Envelope.decode(Array(payload), channel: channel, position: position))
      return .added
    }
    switch Self.meaning(of: name) {
    case .probe: return .probe
    case .impossible: return .impossibleName
    case .channel(let channel):
      let before = takeAll()
      self.name = Array(name)
      self.channel = channel
      self.pattern = pattern.map { Array($0) }
      messages.append(Envelope.decode(Array(payload), channel: channel, position: position))
      return before.map { .addedAfter($0) } ?? .added
    }
  }

  /// What has been gathered.
  mutating func takeAll() -> Batch? {
    if messages.isEmpty { return nil }
    defer { messages = [] }
    let pattern = pattern.map { ChannelPattern(String(decoding: $0, as: UTF8.self)) }
    return Batch(channel: channel, pattern: pattern, messages: messages)
  }

  private func isCurrent(_ other: UnsafeRawBufferPointer?) -> Bool {
    guard let pattern, let other else { return pattern == nil && other == nil }
    return other.isSame(as: pattern)
  }

  private static func meaning(of name: UnsafeRawBufferPointer) -> Meaning {
    if name.starts(with: Channel.reservedPrefix.utf8) { return .probe }
    guard let channel = Channel(utf8: name) else { return .impossible }
    do throws(BroadcastError) { try channel.validate() } catch { return .impossible }
    return .channel(channel)
  }
}
