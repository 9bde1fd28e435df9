//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The messages that are under way: from the oldest which is not yet both answered and delivered everywhere, up to the
/// newest. A ring, so that a long run takes no more memory than a short one.
struct MessageWindow: Sendable {
  struct Entry: Sendable {
    /// What its payload begins with.
    var head: Payload.Head
    /// When it was published, in nanoseconds.
    var stamp: UInt64
    /// By which it was published.
    var connection: Int
    var channel: Int
    /// Its place among the messages of its connection and channel, which must come in their order.
    var ordinal: Int
    /// Deliveries that are still to come.
    var outstanding: Int
    var isAnswered = false

    var isFinished: Bool { isAnswered && outstanding == 0 }
  }

  /// The most messages between the oldest unfinished one and the newest. Nothing is published while there are as many.
  static let limit = 1 << 20

  private var entries: [Entry] = []
  private var mask = 0
  /// The number of the oldest.
  private(set) var first = 0
  /// The number of the next message.
  private(set) var next = 0
  private(set) var unfinishedCount = 0

  var isFull: Bool { next - first >= Self.limit }

  mutating func append(_ entry: Entry) {
    if next - first == entries.count { grow(filler: entry) }
    entries[next & mask] = entry
    next += 1
    unfinishedCount += 1
  }

  /// The message of that number, if it is in the window.
  func entry(_ number: Int) -> Entry? { first..<next ~= number ? entries[number & mask] : nil }

  /// One delivery of the message has come, or will never come.
  /// - Returns: whether it was the last one.
  mutating func countDelivery(of number: Int) -> Bool {
    entries[number & mask].outstanding -= 1
    let isLast = entries[number & mask].outstanding == 0
    if isLast { finishIfDone(number) }
    return isLast
  }

  mutating func answered(_ number: Int) {
    guard first..<next ~= number, !entries[number & mask].isAnswered else { return }
    entries[number & mask].isAnswered = true
    finishIfDone(number)
  }

  private mutating func finishIfDone(_ number: Int) {
    guard entries[number & mask].isFinished else { return }
    unfinishedCount -= 1
    while first < next, entries[first & mask].isFinished { first += 1 }
  }

  private mutating func grow(filler: Entry) {
    let size = max(64, entries.count * 2)
    var larger = [Entry](repeating: filler, count: size)
    for number in first..<next { larger[number & (size - 1)] = entries[number & mask] }
    entries = larger
    mask = size - 1
  }
}
