//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// What happened in a handler, for a test to look at.
final class Journal<Entry: Sendable>: Sendable {
  private let kept = Lock([Entry]())
  let ended = Signal()
  var entries: [Entry] { kept.withLock { $0 } }
  func add(_ entry: Entry) { kept.withLock { $0.append(entry) } }
}
