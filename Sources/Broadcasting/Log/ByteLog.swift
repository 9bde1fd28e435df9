//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A ``SegmentLog`` of bytes, for a fan-out that sends the same ones to many: each batch is a segment.
package struct ByteLog: Sendable {
  private struct Batch: LogElement {
    var bytes: [UInt8]
    var messageCount: Int
    var bufferedBytes: Int { bytes.count }
  }

  /// What a reader gets.
  package enum Next: Sendable {
    /// One batch.
    case bytes([UInt8])
    /// It was too far behind: there are messages that it will not get.
    case missed
  }

  private var log = SegmentLog<Batch>()

  /// The newest batch, as all get it who keep up.
  package private(set) var newest: [UInt8] = []

  package init() {}

  /// Bytes that the log holds now.
  package var heldBytes: Int { log.heldBytes }

  /// Appends messages that came together, and frees what lies outside of the limits.
  package mutating func append(_ bytes: [UInt8], messages: Int, age: Int, limits: LogLimits) {
    newest = bytes
    log.append(contentsOf: [Batch(bytes: bytes, messageCount: messages)], age: age)
    log.trim(to: limits)
  }

  /// A cursor that gets what is appended from now on.
  package mutating func makeCursor() -> LogCursor { log.makeCursor() }

  /// Takes a cursor out, and frees what only it still needed.
  package mutating func remove(_ cursor: LogCursor) {
    log.remove(cursor)
    forgetNewest()
  }

  /// Whether a cursor is further behind than its limits allow, so that it has missed something.
  package func isBehind(_ cursor: LogCursor, _ limits: LogLimits) -> Bool { log.isBehind(cursor, limits) }

  /// Moves a cursor that lacks ``newest`` alone behind it: so stand all those that keep up. False for any other.
  package mutating func passNewest(_ cursor: inout LogCursor) -> Bool { log.passLast(&cursor) }

  /// The next batch for a cursor, which is moved behind it. Nil if there is none.
  package mutating func read(_ cursor: inout LogCursor, limits: LogLimits) -> Next? {
    guard let chunk = log.read(&cursor, limits: limits) else { return nil }
    guard chunk.skip == nil, !chunk.range.isEmpty else { return .missed }
    return .bytes(chunk.elements[chunk.range.lowerBound].bytes)
  }

  /// The age and the bytes of each batch, for who must choose the oldest of several logs.
  package func visitBatches(_ body: (_ age: Int, _ bytes: Int) -> Void) { log.visitSegments(body) }

  /// Frees the batches up to an age, for the limit of all logs together, but not the newest if that is still on its way.
  package mutating func drop(upTo age: Int, keepingNewest: Bool) {
    log.drop(upTo: age, keepingLast: keepingNewest)
    forgetNewest()
  }

  /// To be called when its readers have been served: nothing is held that nobody needs.
  package mutating func forgetNewest() {
    if log.heldBytes == 0 { newest = [] }
  }
}
