//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

extension ChannelFeed {
  /// Has a reader begin where it asked for, if the ring alone can give that. False where a broker has to be asked.
  ///
  /// On memory the ring is all that there is, so this never fails there.
  func serve(_ start: SubscriptionStart, _ slot: Int, _ state: inout State) -> Bool {
    guard let past = state.history?.past(for: start) else { return false }
    give(past, to: slot, &state)
    return true
  }

  /// Has a reader get a past, and then what is appended from now on.
  func give(_ past: Past, to slot: Int, _ state: inout State) {
    if state.log.hasUnread(state.readers[slot].cursor) { passOver(slot, &state) }
    state.readers[slot].past = PastCursor(past)
  }

  /// What became of the start of a reader who has not read yet. Nil where the channel has no history.
  func recovery(_ slot: Int, of core: SubscriptionCore) -> Recovery? {
    state.withLock { state in
      guard state.readers.holds(slot, for: core), let cursor = state.readers[slot].past else { return nil }
      if cursor.isDone { state.readers[slot].past = nil }
      return cursor.past.recovery
    }
  }

  /// Reads for a slot that has a past.
  func readPast(
    _ slot: Int, _ cursor: PastCursor, maximumMessages: Int, maximumBytes: Int, _ state: inout State
  ) -> SegmentLog<Delivery>.Chunk? {
    var cursor = cursor
    if cursor.hasUnread {
      let chunk = cursor.read(maximumMessages: maximumMessages, maximumBytes: maximumBytes)
      state.readers[slot].past = cursor.isDone ? nil : cursor
      return chunk
    }
    // All that is left of it is to pass over what the reader has had elsewhere.
    while let chunk = readLog(slot, maximumMessages: maximumMessages, maximumBytes: maximumBytes, &state) {
      guard let last = cursor.past.skipThrough else { return chunk }
      var isBehind = false
      let rest = chunk.elements[chunk.range].filter { delivery in
        guard !isBehind, case .message(let message) = delivery, let position = message.position else { return true }
        isBehind = position.epoch != last.epoch || position.offset > last.offset
        return isBehind
      }
      if isBehind { state.readers[slot].past = nil }
      if chunk.skip != nil || !rest.isEmpty {
        return SegmentLog.Chunk(skip: chunk.skip, elements: rest, range: rest.indices, marks: chunk.marks)
      }
    }
    return nil
  }
}

// MARK: Keeping

extension ChannelFeed {
  struct Published: Sendable {
    /// The position of the first; those of the others follow. Nil where the channel has no history.
    var first: MessagePosition?
    var woken: [Sleeper] = []
    /// The messages as they were appended.
    var deliveries: [Delivery] = []
  }

  /// Appends a message, and keeps it where the channel has a history. Nil when it has gone since it was found.
  func publish(_ message: Message) -> Published? {
    withLog { state -> Published? in
      guard let history = state.history else { return Published(woken: append(.message(message), &state)) }
      if history.hasGone { return nil }
      let first = history.ring.last.next
      let message = message.positioned(at: first)
      history.append(message)
      return Published(first: first, woken: append(.message(message), &state))
    }
  }

  /// The same for messages that came together.
  func publish(_ messages: [Message]) -> Published? {
    withLog { state -> Published? in
      guard let history = state.history else {
        let deliveries = messages.map { Delivery.message($0) }
        return Published(woken: append(deliveries, &state), deliveries: deliveries)
      }
      if history.hasGone { return nil }
      let first = history.ring.last.next
      var deliveries: [Delivery] = []
      deliveries.reserveCapacity(messages.count)
      for message in messages {
        let message = message.positioned(at: history.ring.last.next)
        history.append(message)
        deliveries.append(.message(message))
      }
      return Published(first: first, woken: append(deliveries, &state), deliveries: deliveries)
    }
  }

  /// A part of what is kept. Nil where the ring alone can't say.
  func history(from start: SubscriptionStart, limit: Int) -> History? {
    withLog { $0.history?.history(from: start, limit: limit) }
  }

  /// Drops what is out of the history's limits. Returns whether the feed may go with that.
  func trimHistory() -> Bool {
    withLog { state in
      guard let history = state.history else { return false }
      history.trim()
      return state.isIdle
    }
  }

  /// Has it go, if it is idle: then nothing more is kept here. Returns whether it went.
  func retire() -> Bool {
    state.withLock { state in
      guard state.isIdle else { return false }
      state.history?.hasGone = true
      return true
    }
  }

  /// Where its log stands, if it has a history.
  var lastPosition: MessagePosition? { state.withLock { $0.history?.ring.last } }
}
