//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// How a socket gets the past of its channels, joined to what is published without a hole or a double.
///
/// It gets its place in the log of the feed first, and what the last message before that place is is noted in the same turn.
/// Then the history is read, up to that message. What is published meanwhile waits in the log.
extension FanOut {
  /// Pauses between looks at a history that should know more than it does, together some 2 s: another server's messages may
  /// be ahead of this one's, and a history be asked at a place that lags.
  private static let pauses: [Duration] = [20, 50, 100, 200, 400, 600, 600].map { .milliseconds($0) }

  /// Subscribes a socket that is still to come, and reads what it gets before that.
  func join(_ channels: [Channel], opening: Opening) async throws -> Member {
    let member = try await join(channels, opening, as: opening.form)
    do {
      while member.places.contains(where: { $0.index == nil }) { await waitForPlace(member) }
      for case let feed as ChannelFeed in member.places.map(\.feed) {
        let past = try await past(for: member, opening, in: feed)
        opening.add(past, of: feed.key.channel)
      }
    } catch {
      leave(member)
      throw error
    }
    return member
  }

  /// Returns when something has been taken from a feed where it is a newcomer. That is soon: what it waits for is here.
  private func waitForPlace(_ member: Member) async {
    await withUnsafeContinuation { member.sleeper = $0 }
  }

  // MARK: One channel

  private func past(
    for member: Member, _ opening: Opening, in feed: ChannelFeed
  ) async throws -> SocketPast {
    guard feed.last != nil else {
      // Without a history there is nothing to be missed of it.
      guard opening.start == .live else { throw BroadcastError.noHistory(of: feed.key.channel) }
      let past = SocketPast(nil, in: pastMemory)
      past.finish(Recovery(), state: state(Recovery(), of: feed))
      return past
    }
    let start = try await reachStart(of: member, opening, in: feed)
    let key = PastKey(start: start, through: opening.begins[ObjectIdentifier(feed)] ?? .beginning)
    while true {
      if let past = feed.lastPast, past.key == key { return past }
      if let past = feed.pasts[key] {
        await past.wait()
        guard let error = past.error else { return past }
        // Whoever read it has gone by itself: somebody else has to.
        guard (error as? BroadcastError)?.code == .cancelled, !Task.isCancelled else { throw error }
        continue
      }
      let past = SocketPast(key, in: pastMemory)
      feed.pasts[key] = past
      defer { feed.pasts[key] = nil }
      do {
        try await read(past, key, isKnown: start == opening.start, in: feed)
      } catch {
        past.fail(error)
        throw error
      }
      feed.lastPast = past
      return past
    }
  }

  /// Waits until the feed has come to where the socket wants to begin, if it was told that place elsewhere.
  ///
  /// - Returns: where to begin: at the beginning for a position that nobody knows.
  private func reachStart(
    of member: Member, _ opening: Opening, in feed: ChannelFeed
  ) async throws -> SubscriptionStart {
    guard case .after(let position) = opening.start.value else { return opening.start }
    func begin() -> MessagePosition { opening.begins[ObjectIdentifier(feed)] ?? .beginning }
    var pauses = Self.pauses[...]
    while PastCut(opening.start, through: begin()).isAhead {
      let head = try await history(of: feed.key.channel, from: .live, limit: 1).head
      if let head, head.epoch != position.epoch || head.offset >= position.offset, let pause = pauses.popFirst() {
        try await sleep(pause)
      } else if pauses.isEmpty {
        throw RequestError(
          .serviceUnavailable, "position_ahead", "This server has not come to the position \(position) yet. Try again.",
          headers: ["Retry-After": "1"])
      } else {
        return .after(.beginning)
      }
      account(feed) { $0.moveToEnd(member) }
    }
    // A later epoch than the channel's is another log's, whose positions mean nothing here.
    return position.epoch > begin().epoch ? .after(.beginning) : opening.start
  }

  /// Reads a history up to where the feed begins.
  ///
  /// - Parameter isKnown: Whether the start is what the client asked for.
  private func read(
    _ past: SocketPast, _ key: PastKey, isKnown: Bool, in feed: ChannelFeed
  ) async throws {
    var cut = PastCut(key.start, through: key.through)
    var next = key.start
    var count = 0
    var pauses = Self.pauses[...]
    var isBehind = false
    while !cut.isAtEnd {
      var limit = History.maximumMessages
      if case .last(let count) = next.value { limit = max(1, count) }
      let page = try await history(of: feed.key.channel, from: next, limit: limit)
      for batch in encode(page.messages.filter { $0.position.map { cut.take($0) } ?? false }, for: feed) {
        count += batch.messageCount
        guard past.append(batch.bytes) else { throw Self.noRoom }
      }
      if page.hasMore {
        next = page.next
        continue
      }
      isBehind = cut.isBehind(page.head)
      guard isBehind, let pause = pauses.popFirst() else { break }
      try await sleep(pause)
      if let last = cut.last { next = .after(last) }
    }
    let recovery = Recovery(isComplete: isKnown && !isBehind && cut.isComplete, messages: count, head: key.through)
    past.finish(recovery, state: state(recovery, of: feed))
  }

  private func encode(_ messages: [Message], for feed: ChannelFeed) -> [FrameBatch] {
    var batches: [FrameBatch] = []
    var batch = FrameBatch(feed.encoding, capacity: 0)
    for message in messages {
      let size = feed.encoding.bytes(of: message)
      if batch.messageCount == FrameBatch.maximumMessages
        || batch.messageCount > 0 && batch.bytes.count + size > FrameBatch.maximumBytes
      {
        batches.append(batch)
        batch = FrameBatch(feed.encoding, capacity: 0)
      }
      batch.append(message)
    }
    return batch.messageCount > 0 ? batches + [batch] : batches
  }

  /// Nil for frames without a line in front.
  private func state(_ recovery: Recovery, of feed: ChannelFeed) -> [UInt8]? {
    guard case .positioned(let channel, _) = feed.encoding else { return nil }
    return WebSocketFrame.encode(
      .text, PositionedFrame.state(recovery.head, isComplete: recovery.isComplete, on: channel))
  }

  private func sleep(_ pause: Duration) async throws {
    do { try await loop.sleep(for: pause) } catch { throw BroadcastError.cancelled }
  }

  private static var noRoom: RequestError {
    RequestError(
      .serviceUnavailable, "past_too_large",
      "The server has no memory for this past now. Ask for less of it, or come back later.",
      headers: ["Retry-After": "1"])
  }
}
