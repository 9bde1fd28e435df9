//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What one subscriber got, in its order, for each channel.
struct Account: Sendable {
  enum Entry: Sendable {
    case message(Stamp)
    case gap(Gap)
    /// Nothing that a publisher stamped.
    case foreign(String)
  }

  private(set) var entries: [Channel: [Entry]] = [:]
  private var newest: [Line: Int] = [:]

  init() {}

  mutating func add(_ delivery: Delivery) {
    switch delivery {
    case .gap(let gap):
      entries[gap.channel, default: []].append(.gap(gap))
    case .message(let message):
      guard let stamp = Stamp(message) else {
        return entries[message.channel, default: []].append(.foreign(message.description))
      }
      entries[message.channel, default: []].append(.message(stamp))
      newest[Line(stamp), default: -1] = max(newest[Line(stamp), default: -1], stamp.number)
    }
  }

  /// Whether something came of each line that is as new as this, or newer.
  func hasHeard(all marks: [Line: Int]) -> Bool { marks.allSatisfy { newest[$0.key, default: -1] >= $0.value } }

  func gaps(on channel: Channel) -> [Gap] {
    entries[channel, default: []].compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
  }
}

/// The messages of one publisher on one channel.
struct Line: Hashable, Sendable, CustomStringConvertible {
  var publisher: Int
  var channel: Channel

  init(publisher: Int, channel: Channel) {
    self.publisher = publisher
    self.channel = channel
  }

  init(_ stamp: Stamp) { self.init(publisher: stamp.publisher, channel: stamp.channel) }

  var description: String { "publisher \(publisher) on \(channel)" }
}
