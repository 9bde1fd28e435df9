//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// A watcher's place in the updates of a hub.
final class PresenceWatcher: PresenceSource {
  private struct State: Sendable {
    var isClaimed = false
    var isCancelled = false
  }

  private let desk: PresenceDesk
  private let channel: Channel
  private let number: Int
  private let state = Lock(State())

  init(_ desk: PresenceDesk, _ channel: Channel, _ number: Int) {
    self.desk = desk
    self.channel = channel
    self.number = number
  }

  func claim() -> Bool {
    state.withLock { state in
      defer { state.isClaimed = true }
      return !state.isClaimed
    }
  }

  func cancel() {
    let isFirst = state.withLock { state in
      defer { state.isCancelled = true }
      return !state.isCancelled
    }
    if isFirst { desk.perform { $0.unwatch(channel, number) } }
  }

  func next() async -> (updates: [PresenceUpdate], range: Range<Int>)? {
    while true {
      if Task.isCancelled { cancel() }
      if state.withLock({ $0.isCancelled }) { return nil }
      let (updates, isEnding) = desk.withTable { ($0.read(channel, number), $0.isEnding) }
      if let updates { return updates }
      if isEnding {
        cancel()
        return nil
      }
      await sleep()
    }
  }

  /// Sleeps until there is something to read, it was cancelled or all is over.
  private func sleep() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { sleeper in
        let isAsleep = desk.withTable { $0.sleep(channel, number, sleeper) }
        if !isAsleep { return sleeper.resume() }
        // The handler has run already if the task was cancelled before the sleeper was in its place.
        if Task.isCancelled { wake() }
      }
    } onCancel: {
      wake()
    }
  }

  private func wake() { desk.withTable { $0.wake(channel, number) }?.resume() }
}
