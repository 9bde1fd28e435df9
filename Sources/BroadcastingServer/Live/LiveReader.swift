//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// A socket's part in a live resource: what it follows, and what it has to get in front of its log.
final class LiveReader {
  let resource: LiveResource
  let feed: LiveFeed

  /// The reading of a state that it waits for, or whose state it has while it is not known yet which changes come behind.
  var read: LiveRead?
  /// Where that has it among its members.
  var indexInRead = 0

  /// Whether it missed changes and cannot take a new state yet.
  var isLagging = false
  /// When it last fell behind by itself.
  var fellBehind: ContinuousClock.Instant?

  private var waiting: [LiveFrames] = []
  private var nextBatch = 0

  init(_ resource: LiveResource, _ feed: LiveFeed) {
    self.resource = resource
    self.feed = feed
  }

  var hasFrames: Bool { !waiting.isEmpty || isLagging }

  /// Whether somebody has to read a state for it, and nobody does.
  var mustRead: Bool { read?.wantsRunner ?? false }

  func add(_ frames: LiveFrames) { waiting.append(frames) }

  func dropFrames() { (waiting, nextBatch) = ([], 0) }

  /// The next frames. Nil while there are none.
  func next() -> [UInt8]? {
    while let first = waiting.first {
      if nextBatch < first.batches.count {
        nextBatch += 1
        return first.batches[nextBatch - 1]
      }
      waiting.removeFirst()
      nextBatch = 0
    }
    return nil
  }
}

extension Member: WebSocketConsumer {
  func received(_ messages: [WebSocketMessage]) {
    fanOut.assumeIsolated { fanOut in
      if closure == nil { fanOut.close(self, .liveOnly) }
    }
  }

  // The observer is told too, when the connection has ended.
  func socketEnded(_ close: WebSocketClose) {}
}

extension WebSocketCloseCode {
  /// What a live resource's key names is gone, or was not found.
  public static let notFound = WebSocketCloseCode(rawValue: 4404)
}

extension WebSocketClosure {
  static let deleted = WebSocketClosure(.notFound, "It was deleted.")
  static let liveOnly = WebSocketClosure(.policyViolation, "This socket takes no messages. Send requests by HTTP.")
}
