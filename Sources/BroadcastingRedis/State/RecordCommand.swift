//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The call of the script that records, as it goes over the wire: what stands round the message is kept for each channel.
struct RecordCommand {
  /// What stands before the message's length, and behind the message.
  private struct Words {
    var start: [UInt8]
    var end: [UInt8]
  }

  /// So many channels are remembered. With more all are forgotten, and written anew.
  private static let maximumChannels = 4_096

  private let channels: KeptChannels
  private let run: [UInt8]
  private let digest: [UInt8]
  /// Nil: a channel without a history.
  private var words: [Channel: Words?] = [:]

  /// - Parameters:
  ///   - run: Of the server. Empty where it does not matter.
  ///   - digest: Of the script.
  init(_ channels: KeptChannels, run: String, digest: [UInt8]) {
    self.channels = channels
    self.run = Array(run.utf8)
    self.digest = digest
  }

  /// Returns false, and does nothing, where the channel has no history.
  mutating func append(_ payload: [UInt8], to channel: Channel, _ output: inout [UInt8]) -> Bool {
    guard let words = words(for: channel) else { return false }
    output.append(contentsOf: words.start)
    RedisCommand.append(payload, to: &output)
    output.append(contentsOf: words.end)
    return true
  }

  private mutating func words(for channel: Channel) -> Words? {
    if let known = words[channel] { return known }
    if words.count == Self.maximumChannels { words = [:] }
    let new = channels.kept(channel).map { write($0) }
    words[channel] = .some(new)
    return new
  }

  private func write(_ kept: KeptChannel) -> Words {
    let start = [Array("EVALSHA".utf8), digest, Array("2".utf8), kept.stream, kept.log, Array(kept.channel.name.utf8)]
    let policy = kept.policy
    let limits = [policy.maximumMessages, policy.maximumBytes, kept.age, kept.life]
    let end = [kept.announcements, run] + limits.map { Array("\($0)".utf8) }
    var words = Words(start: [], end: [])
    RedisCommand.appendLine("*", start.count + 1 + end.count, to: &words.start)
    for word in start { RedisCommand.append(word, to: &words.start) }
    for word in end { RedisCommand.append(word, to: &words.end) }
    return words
  }
}
