//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Deliveries that a history keeps together: an array that never changes, which readers share.
///
/// It is what the budget counts, once, for as long as the ring or any reader still has it.
final class HistoryBlock: Sendable {
  /// What a block costs beside its elements.
  static let overhead = 128
  /// Where a block is full. Whoever reads gets a block at once, so this also bounds what a reader has in hand.
  static let fullMessages = 64
  static let fullBytes = 64 * 1_024

  let deliveries: [Delivery]
  /// What the budget counts for it.
  let bytes: Int
  /// The time of its making on the budget's clock.
  let age: Int
  private let budget: MemoryBudget

  init(_ deliveries: [Delivery], bytes: Int, age: Int, budget: MemoryBudget) {
    self.deliveries = deliveries
    self.bytes = bytes + Self.overhead
    self.age = age
    self.budget = budget
    budget.add(self.bytes)
  }

  deinit { budget.add(-bytes) }
}

extension Message {
  /// What a history counts for it: the payload and the headers.
  var keptBytes: Int {
    var bytes = storage.payload.count
    if storage.headers.isEmpty { return bytes }
    for header in storage.headers { bytes += header.name.utf8.count + header.value.count }
    return bytes
  }
}

extension HistoryBlock {
  /// Cuts deliveries into what becomes a block each.
  static func parts(of deliveries: [Delivery]) -> [(deliveries: [Delivery], range: Range<Int>, bytes: Int)] {
    var parts: [(deliveries: [Delivery], range: Range<Int>, bytes: Int)] = []
    var from = 0
    while from < deliveries.count {
      var (to, bytes) = (from, 0)
      repeat {
        bytes += deliveries[to].bufferedBytes
        to += 1
      } while to < deliveries.count && to - from < fullMessages && bytes + deliveries[to].bufferedBytes <= fullBytes
      parts.append((Array(deliveries[from..<to]), from..<to, bytes))
      from = to
    }
    return parts
  }
}
