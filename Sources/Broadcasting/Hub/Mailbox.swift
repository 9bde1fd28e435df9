//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Takes things from any thread to one task, which gets all that has come at once.
///
/// It has no limit of its own: what is put in has to be something of which there can only be so many.
final class Mailbox<Element: Sendable>: Sendable {
  private struct State: Sendable {
    var elements: [Element] = []
    // Resumed once: it stays here until somebody takes it out under the lock.
    var waiter: UnsafeContinuation<Void, Never>?
    var isClosed = false

    mutating func takeWaiter() -> UnsafeContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  private let state = Lock(State())

  /// Puts elements in. Returns false, and keeps none, when it is closed.
  @discardableResult
  func append(_ elements: [Element]) -> Bool {
    guard !elements.isEmpty else { return true }
    let (isOpen, waiter) = state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
      guard !state.isClosed else { return (false, nil) }
      if state.elements.isEmpty { state.elements = elements } else { state.elements += elements }
      return (true, state.takeWaiter())
    }
    waiter?.resume()
    return isOpen
  }

  /// Lets nothing in any more. Returns what has not been taken.
  func close() -> [Element] {
    let (elements, waiter) = state.withLock { state in
      state.isClosed = true
      defer { state.elements = [] }
      return (state.elements, state.takeWaiter())
    }
    waiter?.resume()
    return elements
  }

  /// Waits until something is there, and takes all of it; one task may. Nil when that task is cancelled, or it is closed.
  func next() async -> [Element]? {
    while !Task.isCancelled {
      let (elements, isClosed) = state.withLock { state in
        defer { state.elements = [] }
        return (state.elements, state.isClosed)
      }
      if !elements.isEmpty { return elements }
      if isClosed { return nil }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { waiter in
          let isReady = state.withLock { state in
            guard !state.isClosed, state.elements.isEmpty else { return true }
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
