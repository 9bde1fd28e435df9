//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Puts the parts of messages together. A machine that does nothing itself.
///
/// The notifications of a transaction come one behind the other, so a sender has at most one message under way. What does not
/// continue it breaks it: it will never be whole, which is one gap on its channel, however many of its parts still follow.
struct PartAssembler {
  struct Limits {
    /// The most bytes of one message: 64 MiB of binary payload in Base64, and its headers.
    var messageBytes = 96 * 1_024 * 1_024
    /// The most bytes of all that are under way.
    var heldBytes = 128 * 1_024 * 1_024
    var senders = 256
  }

  enum Outcome: Equatable {
    /// More parts have to come.
    case incomplete
    case whole([UInt8])
    /// Nothing new of something that is broken.
    case ignored
    case broken
  }

  private struct Pending {
    var channel: Channel
    var number: Int
    var count: Int
    var totalBytes: Int
    var received = 0
    var text: [UInt8] = []
    /// Its end has been told.
    var isBroken = false
    var age: Int

    func continues(with part: Part, on channel: Channel) -> Bool {
      number == part.number && count == part.count && totalBytes == part.totalBytes && self.channel == channel
    }
  }

  private let limits: Limits
  private var pending: [Int32: Pending] = [:]
  private var heldBytes = 0
  private var age = 0

  init(limits: Limits = Limits()) { self.limits = limits }

  var isEmpty: Bool { pending.isEmpty }

  /// Takes a part.
  ///
  /// - Parameters:
  ///   - sender: The process of the database server that serves the sender.
  ///   - tellBroken: Gets the channels of messages which the part has shown to be broken, other than its own.
  mutating func add(
    _ part: Part, _ piece: UnsafeBufferPointer<UInt8>, from sender: Int32, on channel: Channel,
    tellBroken: (Channel) -> Void
  ) -> Outcome {
    if part.index == 1 {
      interrupt(sender, tellBroken)
      if part.totalBytes > limits.messageBytes { return giveUp(part, sender, channel) }
      makeRoom(tellBroken)
      pending[sender] = newPending(part, channel)
    }
    guard var entry = pending[sender], entry.continues(with: part, on: channel) else {
      interrupt(sender, tellBroken)
      return giveUp(part, sender, channel)
    }
    if entry.isBroken {
      if part.index == part.count { pending[sender] = nil }
      return .ignored
    }
    guard entry.received + 1 == part.index, entry.text.count + piece.count <= entry.totalBytes else {
      remove(sender)
      return giveUp(part, sender, channel)
    }
    // Out of the table while it grows, so that it is not copied.
    pending[sender] = nil
    entry.text.append(contentsOf: piece)
    entry.received = part.index
    if part.index < part.count {
      pending[sender] = entry
      heldBytes += piece.count
      dropOldest(except: sender, tellBroken)
      return .incomplete
    }
    heldBytes -= entry.text.count - piece.count
    return entry.text.count == entry.totalBytes ? .whole(entry.text) : .broken
  }

  /// Something that is no part came from a sender: what it had under way will never be whole.
  mutating func interrupt(_ sender: Int32, _ tellBroken: (Channel) -> Void) {
    guard let entry = remove(sender), !entry.isBroken else { return }
    tellBroken(entry.channel)
  }

  /// The rest of it is not told again.
  private mutating func giveUp(_ part: Part, _ sender: Int32, _ channel: Channel) -> Outcome {
    if part.index < part.count {
      makeRoom { _ in }
      var entry = newPending(part, channel)
      entry.isBroken = true
      pending[sender] = entry
    }
    return .broken
  }

  private mutating func newPending(_ part: Part, _ channel: Channel) -> Pending {
    age += 1
    return Pending(
      channel: channel, number: part.number, count: part.count, totalBytes: part.totalBytes, age: age)
  }

  @discardableResult
  private mutating func remove(_ sender: Int32) -> Pending? {
    guard let entry = pending.removeValue(forKey: sender) else { return nil }
    heldBytes -= entry.text.count
    return entry
  }

  // MARK: Limits

  private mutating func makeRoom(_ tellBroken: (Channel) -> Void) {
    while pending.count >= limits.senders, let oldest = oldest(except: nil) { interrupt(oldest, tellBroken) }
  }

  private mutating func dropOldest(except sender: Int32, _ tellBroken: (Channel) -> Void) {
    while heldBytes > limits.heldBytes, let oldest = oldest(except: sender) { interrupt(oldest, tellBroken) }
  }

  private func oldest(except sender: Int32?) -> Int32? {
    pending.filter { $0.key != sender }.min { $0.value.age < $1.value.age }?.key
  }
}
