//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// What a socket gets before what is published: where its channels stand, and their past.
// Sendable: others only hold it, and read what is set before it is handed out. All else is touched by its fan-out alone,
// inside that actor, as with ``Member``.
final class Opening: @unchecked Sendable {
  let start: SubscriptionStart
  let form: FrameForm

  /// Where each of its channels begins in the log of its feed. Set as it gets its place there, in the same turn.
  private(set) var begins: [ObjectIdentifier: MessagePosition] = [:]

  /// What became of the start, in each of its channels. Whole before the socket is answered.
  private(set) var recoveries: [Channel: Recovery] = [:]

  private var pasts: [SocketPast] = []
  private var nextBatch = 0

  /// Whether all has been handed to its socket.
  private(set) var isOut = false

  init(_ start: SubscriptionStart, positions: Bool) {
    self.start = start
    form = positions ? .positioned : .raw
  }

  func begins(at position: MessagePosition?, in feed: FrameFeed) { begins[ObjectIdentifier(feed)] = position }

  func add(_ past: SocketPast, of channel: Channel) {
    pasts.append(past)
    recoveries[channel] = past.recovery
  }

  /// The next frames. Nil, for good, behind the last.
  func next() -> [UInt8]? {
    while let past = pasts.first {
      if nextBatch < past.batches.count {
        nextBatch += 1
        return past.batches[nextBatch - 1]
      }
      pasts.removeFirst()
      nextBatch = 0
    }
    isOut = true
    return nil
  }
}

/// What asks for the same past, and gets the same frames.
struct PastKey: Hashable, Sendable {
  var start: SubscriptionStart
  var through: MessagePosition
}

/// The past of a channel as frames, for all sockets that begin at the same place and get theirs at the same time.
///
/// It counts in its loop's memory, for as long as one of them has it.
// Sendable: as ``Opening``.
final class SocketPast: @unchecked Sendable {
  let key: PastKey?
  private let memory: PastMemory
  private(set) var batches: [[UInt8]] = []
  private(set) var recovery = Recovery()
  private var bytes = 0

  /// Who waits until it is read. Nil once it is.
  private(set) var waiting: [UnsafeContinuation<Void, Never>]? = []
  /// Why it could not be.
  private(set) var error: (any Error)?

  init(_ key: PastKey?, in memory: PastMemory) {
    self.key = key
    self.memory = memory
  }

  deinit { memory.remove(bytes) }

  /// False where the loop's memory has no room for that.
  func append(_ frames: [UInt8]) -> Bool {
    batches.append(frames)
    bytes += frames.count
    return !memory.add(frames.count)
  }

  /// - Parameter state: The frame that says where the channel stands, for sockets that want positions.
  func finish(_ recovery: Recovery, state: [UInt8]?) {
    self.recovery = recovery
    if let state { batches.insert(state, at: 0) }
    wakeAll()
  }

  func fail(_ error: any Error) {
    self.error = error
    wakeAll()
  }

  /// Returns when it is read, or could not be.
  func wait() async {
    await withUnsafeContinuation { continuation in
      if waiting == nil { continuation.resume() } else { waiting?.append(continuation) }
    }
  }

  private func wakeAll() {
    for continuation in waiting.take() ?? [] { continuation.resume() }
  }
}
