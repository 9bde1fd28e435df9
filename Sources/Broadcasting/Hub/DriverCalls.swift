//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// The calls that channels ask of a driver, on their way to the task which makes them.
///
/// A channel has one call at a time, so there are never more of them than channels.
final class DriverCalls: Sendable {
  static let maximumAtOnce = 256

  struct Command: Sendable {
    var feed: ChannelFeed
    var call: ChannelFeed.Machine.Call
  }

  private struct State: Sendable {
    var commands: [Command] = []
    var taken = 0
    // Resumed once: it stays here until somebody takes it out under the lock.
    var waiter: UnsafeContinuation<Void, Never>?
    var isClosed = false

    mutating func pop() -> Command? {
      guard taken < commands.count else { return nil }
      defer {
        taken += 1
        if taken == commands.count {
          commands = []
          taken = 0
        }
      }
      return commands[taken]
    }

    mutating func takeWaiter() -> UnsafeContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  private let state = Lock(State())

  func append(_ commands: [Command]) {
    guard !commands.isEmpty else { return }
    state.withLock { state -> UnsafeContinuation<Void, Never>? in
      guard !state.isClosed else { return nil }
      state.commands += commands
      return state.takeWaiter()
    }?.resume()
  }

  /// Forgets what has not been taken: its connection is gone.
  func drop() {
    state.withLock { state in
      state.commands = []
      state.taken = 0
    }
  }

  func close() {
    state.withLock { state in
      state.isClosed = true
      state.commands = []
      state.taken = 0
      return state.takeWaiter()
    }?.resume()
  }

  /// Waits for the next call; one task may. Nil when that task is cancelled, or it is closed.
  func next() async -> Command? {
    while !Task.isCancelled {
      let (command, isClosed) = state.withLock { ($0.pop(), $0.isClosed) }
      if let command { return command }
      if isClosed { return nil }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { waiter in
          let isReady = state.withLock { state in
            guard !state.isClosed, state.taken == state.commands.count else { return true }
            state.waiter = waiter
            return false
          }
          if isReady { return waiter.resume() }
          // The handler has run already if the task was cancelled before the waiter was in its place.
          if Task.isCancelled { wake() }
        }
      } onCancel: {
        wake()
      }
    }
    return nil
  }

  private func wake() { state.withLock { $0.takeWaiter() }?.resume() }
}
