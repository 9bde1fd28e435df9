//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Messages that a subscriber should have had by now, since later ones of the same publisher have come.
///
/// Where all goes well there are none, and they cost nothing. A part of a sequence that is missing is one entry, however
/// long it is; there are at most ``limit`` entries for all subscribers together.
struct MissingDeliveries: Sendable {
  static let limit = 1 << 20

  private struct Hole {
    var connection: Int
    var ordinals: Range<Int>
  }

  private var holes: [Int: [Hole]] = [:]
  private var holeCount = 0
  /// How many deliveries are missing.
  private(set) var count = 0

  var isFull: Bool { holeCount >= Self.limit }

  /// A subscriber has passed over these messages of a connection.
  mutating func add(_ ordinals: Range<Int>, of connection: Int, for subscriber: Int) {
    count += ordinals.count
    if isFull { return }
    holes[subscriber, default: []].append(Hole(connection: connection, ordinals: ordinals))
    holeCount += 1
  }

  func contains(_ ordinal: Int, of connection: Int, for subscriber: Int) -> Bool {
    holes[subscriber]?.contains { $0.connection == connection && $0.ordinals.contains(ordinal) } ?? false
  }

  /// The message has come after all, late.
  /// - Returns: false if it was not missing.
  mutating func remove(_ ordinal: Int, of connection: Int, for subscriber: Int) -> Bool {
    guard
      let index = holes[subscriber]?.firstIndex(where: { $0.connection == connection && $0.ordinals.contains(ordinal) }
      ),
      let ordinals = holes[subscriber]?[index].ordinals
    else { return false }
    var rest: [Hole] = []
    if ordinals.lowerBound < ordinal {
      rest.append(Hole(connection: connection, ordinals: ordinals.lowerBound..<ordinal))
    }
    if ordinal + 1 < ordinals.upperBound {
      rest.append(Hole(connection: connection, ordinals: ordinal + 1..<ordinals.upperBound))
    }
    holes[subscriber]?.replaceSubrange(index...index, with: rest)
    holeCount += rest.count - 1
    count -= 1
    return true
  }
}
