//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// One message of a publisher that numbers what it publishes, for each channel from 0 on.
struct Stamp: Hashable, Sendable {
  var publisher: Int
  var channel: Channel
  var number: Int

  init(publisher: Int, channel: Channel, number: Int) {
    self.publisher = publisher
    self.channel = channel
    self.number = number
  }

  /// Nil for a message that is not, to the last character, one which a publisher stamped.
  init?(_ message: Message) {
    guard let text = message.text else { return nil }
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count == 3, let publisher = Int(words[0]), let number = Int(words[1]), number >= 0 else { return nil }
    self.init(publisher: publisher, channel: message.channel, number: number)
    guard self.text == text else { return nil }
  }

  var message: Message { Message(text, to: channel) }

  /// Most are short. One in ten is longer than a NOTIFY of PostgreSQL and than a packet takes.
  private var text: String {
    let filling =
      number % 10 == 7 ? String(repeating: "long é ", count: 2_500) : String(repeating: "x", count: number % 10)
    return "\(publisher) \(number) \(filling)"
  }
}

extension Stamp: CustomStringConvertible {
  var description: String { "number \(number) of publisher \(publisher) on \(channel)" }
}
