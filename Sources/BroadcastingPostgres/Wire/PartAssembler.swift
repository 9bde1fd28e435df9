//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Puts the parts of a message together. A machine that does nothing itself.
///
/// The notifications of a transaction lie one behind the other in PostgreSQL's queue, and those of others before or behind all
/// of them. So one message at most is under way, and whatever does not continue it breaks it: it will never be whole, which is
/// one gap on its channel, however many of its parts still follow.
struct PartAssembler {
  enum Outcome: Equatable {
    /// More parts have to come.
    case incomplete
    case whole([UInt8])
    /// Nothing new of something that is broken.
    case ignored
    case broken
  }

  private struct Pending {
    let part: Part
    let sender: Int32
    let channel: Channel
    var received = 0
    var text: [UInt8] = []
    /// Its end has been told.
    var isBroken = false
  }

  private let maximumBytes: Int
  private var pending: Pending?

  /// - Parameter maximumBytes: of one message. There is room for 64 MiB of binary payload in Base64, and its headers.
  init(maximumBytes: Int = 96 * 1_024 * 1_024) { self.maximumBytes = maximumBytes }

  var isEmpty: Bool { pending == nil }

  /// Whether a part belongs to what is under way. Where it does not, call ``interrupt()`` before ``add(_:_:from:on:)``.
  ///
  /// - Parameter sender: The process of the database server that serves the sender.
  func isContinued(by part: Part, from sender: Int32, on channel: Channel) -> Bool {
    guard let pending else { return false }
    let first = pending.part
    return part.index > 1 && first.number == part.number && first.count == part.count
      && first.totalBytes == part.totalBytes && pending.sender == sender && pending.channel == channel
  }

  /// What is under way will never be whole. Returns its channel, unless that was told already.
  mutating func interrupt() -> Channel? {
    guard let entry = pending.take(), !entry.isBroken else { return nil }
    return entry.channel
  }

  /// Takes a part.
  mutating func add(
    _ part: Part, _ piece: UnsafeBufferPointer<UInt8>, from sender: Int32, on channel: Channel
  ) -> Outcome {
    // Taken out while it grows, so that it is not copied.
    var entry = pending.take() ?? Pending(part: part, sender: sender, channel: channel)
    let isLast = part.index == part.count
    let fits =
      part.index == entry.received + 1 && part.totalBytes <= maximumBytes
      && entry.text.count + piece.count <= part.totalBytes
    if entry.isBroken || !fits {
      // Its rest is not told again.
      if !isLast {
        pending = Pending(part: part, sender: sender, channel: channel, isBroken: true)
      }
      return entry.isBroken ? .ignored : .broken
    }
    entry.text.append(contentsOf: piece)
    entry.received = part.index
    if isLast { return entry.text.count == part.totalBytes ? .whole(entry.text) : .broken }
    pending = entry
    return .incomplete
  }
}
