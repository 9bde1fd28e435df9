//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// The limit of all logs, and counters.
extension ChannelFeed {
  /// The age and the bytes of each segment.
  var segments: [(age: Int, bytes: Int)] {
    state.withLock { state in
      var all: [(age: Int, bytes: Int)] = []
      state.log.visitSegments { all.append((age: $0, bytes: $1)) }
      visitKept(&state, &all)
      return all
    }
  }

  /// Frees the segments up to an age. Returns whether the feed may go with that.
  func drop(upTo age: Int) -> Bool {
    withLog { state in
      state.log.drop(upTo: age)
      dropKept(upTo: age, &state)
      return state.isIdle
    }
  }

  /// Adds the age and the bytes of what is kept, and of what readers still have to read of it.
  private func visitKept(_ state: inout State, _ all: inout [(age: Int, bytes: Int)]) {
    guard let history = state.history else { return }
    var seen: Set<ObjectIdentifier> = []
    history.ring.visitBlocks { block, age, bytes in
      if let block { seen.insert(ObjectIdentifier(block)) }
      all.append((age: age, bytes: bytes))
    }
    for case let cursor? in state.readers.readers.lazy.map(\.past) {
      cursor.visitBlocks { block in
        if seen.insert(ObjectIdentifier(block)).inserted { all.append((age: block.age, bytes: block.bytes)) }
      }
    }
  }

  /// Frees what is kept up to an age.
  private func dropKept(upTo age: Int, _ state: inout State) {
    guard let history = state.history else { return }
    history.drop(upTo: age)
    for slot in state.readers.readers.indices {
      state.readers[slot].past?.drop(upTo: age, topic: topic, budget: budget)
    }
  }

  func count(into statistics: inout BroadcastStatistics) {
    let (readers, delivered, dropped, gaps, messages, bytes) = state.withLock {
      ($0.readers.count, $0.delivered, $0.dropped, $0.gaps, $0.history?.ring.count ?? 0, $0.history?.ring.bytes ?? 0)
    }
    if readers > 0 {
      switch topic {
      case .channel: statistics.channels += 1
      case .pattern: statistics.patterns += 1
      }
    }
    statistics.subscribers += readers
    statistics.delivered += delivered
    statistics.dropped += dropped
    statistics.gaps += gaps
    statistics.historyMessages += messages
    statistics.historyBytes += bytes
    if isLinked { countLink(into: &statistics) }
  }
}
