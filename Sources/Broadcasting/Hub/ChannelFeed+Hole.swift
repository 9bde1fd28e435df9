//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// What is read of a hole comes as fast as the broker answers, and no reader is that fast. So what its buffer has no room for is
/// given to a reader as a past: who was not slow before has not become so by a line that was lost.
extension ChannelFeed {
  /// Appends what was read of a hole, or held back meanwhile. Returns whom to wake.
  func appendHole(
    _ deliveries: [Delivery], _ link: HistoryLink, _ history: FeedHistory, _ state: inout State
  ) -> [Sleeper] {
    let bytes = deliveries.reduce(0) { $0 + $1.bufferedBytes }
    // As much as is kept of a channel: what is more was trimmed before it could be read, or comes again and again.
    let policy = link.isPolicyKnown ? history.ring.policy : .greatest
    let room = LogLimits(maximumMessages: policy.maximumMessages, maximumBytes: policy.maximumBytes)
    let full = state.readers.readers.indices.filter { slot in
      needsPast(slot, messages: deliveries.count, bytes: bytes, room, state)
    }
    if full.isEmpty { return append(deliveries, &state) }
    // All of them share it.
    let parts = Past.parts(of: deliveries, budget: budget)
    for slot in full {
      passIntoPast(slot, &state)
      state.readers[slot].past?.append(parts, messages: deliveries.count, bytes: bytes)
    }
    if full.count < state.readers.count {
      state.log.append(contentsOf: deliveries, age: budget.tick())
      for slot in full { passOver(slot, &state) }
    }
    return finishAppending(&state)
  }

  /// Whether a reader, who is not behind, would be with so much more, and may have it all the same.
  private func needsPast(_ slot: Int, messages: Int, bytes: Int, _ room: LogLimits, _ state: State) -> Bool {
    let reader = state.readers[slot]
    guard reader.core != nil, reader.isConfirmed, !state.log.isBehind(reader.cursor, reader.limits) else {
      return false
    }
    let backlog = state.log.backlog(of: reader.cursor)
    if backlog.messages + messages <= reader.limits.maximumMessages,
      backlog.bytes + bytes <= reader.limits.maximumBytes
    {
      return false
    }
    guard let past = reader.past else { return true }
    // Who has to pass over something in the log has to find it there.
    return past.past.skipThrough == nil && past.appendedMessages <= room.maximumMessages
      && past.appendedBytes <= room.maximumBytes
  }

  /// What a reader has not read in the log becomes part of its past.
  private func passIntoPast(_ slot: Int, _ state: inout State) {
    // In place: a copy would copy what stands in it already.
    var past = state.readers[slot].past.take() ?? PastCursor(Past([], Recovery(), budget: budget))
    while let chunk = readLog(slot, maximumMessages: .max, maximumBytes: .max, &state) {
      let bytes = chunk.elements[chunk.range].reduce(0) { $0 + $1.bufferedBytes }
      let block = HistoryBlock(chunk.elements, bytes: bytes, age: budget.tick(), budget: budget)
      past.append([Past.Part(block, chunk.range)], messages: chunk.range.count, bytes: bytes)
    }
    state.readers[slot].past = past
  }
}
