//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Runs two operations side by side until one completes, cancels the other, and waits until that has ended too.
///
/// A socket's handler is most often such a race: one task receives what the client sends, another one sends what the
/// client subscribed to, and when either is done so is the socket.
///
/// ```swift
/// try await runUntilFirstCompletes(
///   {
///     while let message = await socket.receive() {
///       if let text = message.text { try await broadcast.publish(text, to: "chat") }
///     }
///   },
///   { try await feed.deliver(to: socket) }
/// )
/// ```
///
/// Cancelling the calling task cancels both. An operation that ignores its cancellation holds up the return.
///
/// - Throws: What the first to complete throws. An error of the other one, which is cancelled by then, is dropped.
public func runUntilFirstCompletes(
  _ one: @escaping @isolated(any) @Sendable () async throws -> Void,
  _ other: @escaping @isolated(any) @Sendable () async throws -> Void
) async throws {
  let race = Race(one, other)
  await withDiscardingTaskGroup { group in
    group.addTask { await race.runOne() }
    group.addTask { await race.runOther() }
    await race.waitForFirst()
    group.cancelAll()
  }
  if let error = race.error { throw error }
}

/// Two operations, how the first of them completed, and who waits to hear of it.
///
/// It stands in place of the group's own `next()`, and holds what the tasks would capture, because there is one for each
/// socket that sleeps: the frames of `next()` would be a third of what the waiting task holds.
private final class Race: Sendable {
  private struct State {
    var isComplete = false
    var error: (any Error)?
    var waiter: UnsafeContinuation<Void, Never>?
  }
  private let one: @isolated(any) @Sendable () async throws -> Void
  private let other: @isolated(any) @Sendable () async throws -> Void
  private let state = Lock(State())

  init(
    _ one: @escaping @isolated(any) @Sendable () async throws -> Void,
    _ other: @escaping @isolated(any) @Sendable () async throws -> Void
  ) {
    self.one = one
    self.other = other
  }

  var error: (any Error)? { state.withLock { $0.error } }

  func runOne() async {
    do {
      try await one()
      complete(nil)
    } catch {
      complete(error)
    }
  }

  func runOther() async {
    do {
      try await other()
      complete(nil)
    } catch {
      complete(error)
    }
  }

  func waitForFirst() async {
    await withUnsafeContinuation { continuation in
      let isComplete = state.withLock { state in
        if !state.isComplete { state.waiter = continuation }
        return state.isComplete
      }
      if isComplete { continuation.resume() }
    }
  }

  private func complete(_ error: (any Error)?) {
    let waiter: UnsafeContinuation<Void, Never>? = state.withLock { state in
      if state.isComplete { return nil }
      state.isComplete = true
      state.error = error
      return state.waiter.take()
    }
    waiter?.resume()
  }
}
