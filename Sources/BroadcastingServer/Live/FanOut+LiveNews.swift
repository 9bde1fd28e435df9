//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// What comes for live resources: decoded once, encoded once, and put into the logs of the feeds that want it.
extension FanOut {
  func hasLiveNews(_ id: ObjectIdentifier) {
    guard let source = liveSources[id] else { return }
    source.hasMore = true
    schedule(source)
  }

  /// At the end of the turn, so that all that the turn brings goes out together; and not before all sockets have been
  /// served with what came before.
  private func schedule(_ source: LiveSource) {
    if source.isScheduled || source.awaited > 0 { return }
    source.isScheduled = true
    loop.atTurnEnd { self.advance(source) }
  }

  private func advance(_ source: LiveSource) {
    source.isScheduled = false
    guard source.hasMore, source.awaited == 0 else { return }
    if source.restsUntil.map({ ContinuousClock.now < $0 }) != true { take(source) }
    if source.hasMore { loop.inNextTurn { self.schedule(source) } }
  }

  /// All sockets of a feed have been served.
  func isSwept(_ feed: LiveFeed) {
    guard feed.isAwaited else { return }
    feed.isAwaited = false
    let source = feed.source
    source.awaited -= 1
    source.restsUntil = feed.restsUntil
    if source.awaited == 0, source.hasMore { loop.inNextTurn { self.schedule(source) } }
  }

  private func take(_ source: LiveSource) {
    let batch = source.subscription.takeBatch(
      maximumMessages: min(FrameBatch.maximumMessages, limits.maximumMessages),
      maximumBytes: min(FrameBatch.maximumBytes, limits.maximumBytes))
    source.hasMore = batch.hasMore
    var touched: [LiveFeed] = []
    for delivery in batch.deliveries {
      switch delivery {
      case .message(let message):
        let number = source.taken[message.channel, default: 0] + 1
        source.taken[message.channel] = number
        guard let change = source.changes.decode(message) else { continue }
        let frame = WebSocketFrame.encode(.text, Array(change.text.utf8))
        for feed in source.feeds(of: change) {
          if !feed.isTouched {
            feed.isTouched = true
            feed.beginSweep()
            touched.append(feed)
          }
          add(change, frame, of: message.channel, number: number, to: feed)
        }
      case .gap:
        for feed in touched { append(to: feed) }
        for feed in source.feeds { renewAll(feed) }
      }
    }
    for feed in touched {
      append(to: feed)
      feed.isTouched = false
      sweepLater(feed)
    }
    switch batch.end {
    case .finished: end(source, WebSocketClosure(.goingAway, "The server stops."))
    case .failed: end(source, .missedMessages)
    case nil: break
    }
  }

  private func add(_ change: LiveChange, _ frame: [UInt8], of channel: Channel, number: Int, to feed: LiveFeed) {
    // As with channels: together with those before it, it could be more than a socket may be behind that has got all so far.
    if feed.pendingCount > 0, feed.pending.count + frame.count > limits.maximumBytes {
      append(to: feed)
      for index in feed.readers.indices { pump(feed.readers[index].member) }
    }
    let isEnd = change.isDeletion && feed.key != nil
    for read in feed.reads {
      read.take(change, frame, of: channel, number: number, limits: limits)
      // It was made again since, which the feed that is made for who comes next is told of.
      if isEnd, read.phase == .filtering { endAll(read, .missedMessages, of: feed) }
    }
    feed.hold(frame)
    guard isEnd else { return }
    append(to: feed)
    end(feed, .deleted)
  }

  private func append(to feed: LiveFeed) {
    account(feed) { $0.appendPending(age: budget.tick(), limits: limits) }
    for read in feed.reads where read.phase == .settled { settleFiltered(read, of: feed) }
  }

  private func sweepLater(_ feed: LiveFeed) {
    guard !feed.readers.isEmpty else { return }
    feed.sweepsLeft = feed.readers.count
    if !feed.isAwaited {
      feed.isAwaited = true
      feed.source.awaited += 1
    }
    schedule(feed)
  }

  /// Changes are missing: all sockets of a feed need a new state.
  private func renewAll(_ feed: LiveFeed) {
    var members: [Member] = []
    for read in feed.reads {
      switch read.phase {
      case .reading: read.markStale()
      case .filtering, .settled:
        members += read.takeMembers()
        end(read, of: feed)
      case .waiting, .over: break
      }
    }
    account(feed) { feed in
      for reader in feed.readers.reversed() where reader.member.closure == nil {
        members.append(reader.member)
        _ = feed.remove(reader.member)
        reader.member.setIndex(nil, in: feed)
      }
    }
    for member in members {
      member.live?.dropFrames()
      renew(member)
    }
  }

  /// Nothing comes any more in a feed. Its sockets are closed when they have got what there is.
  private func end(_ feed: LiveFeed, _ closure: WebSocketClosure) {
    feed.closure = closure
    if feed.source.remove(feed) { endedFeeds.append(feed) }
  }

  private func end(_ source: LiveSource, _ closure: WebSocketClosure) {
    for feed in source.feeds {
      end(feed, closure)
      for read in feed.reads {
        switch read.phase {
        case .reading: break
        case .waiting, .filtering, .settled, .over: endAll(read, closure, of: feed)
        }
      }
      sweepLater(feed)
    }
    endIfUnused(source)
    liveSources[ObjectIdentifier(source.changes)] = nil
  }
}
