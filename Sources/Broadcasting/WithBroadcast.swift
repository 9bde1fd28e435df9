//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Runs a backend for the time of a closure, and ends it behind it.
///
/// It does what ``withBroadcast(_:_:)`` does with the backend which the URL asks for.
///
/// - Throws: What ``BroadcastBackend/open(_:among:)`` throws, and then what ``withBroadcast(_:_:)`` does.
public func withBroadcast<Result>(
  _ url: String, among backends: [BroadcastBackend], _ body: (any Broadcast) async throws -> Result
) async throws -> Result {
  try await withBroadcast(try BroadcastBackend.open(url, among: backends), body)
}

/// Runs a broadcast for the time of a closure, and ends it behind it.
///
/// The closure runs where the caller runs, in the caller's own task, so that it can use what belongs to the caller's actor.
/// Leaving it, in whatever way, cancels `run()` and waits for its end.
///
/// When `run()` fails meanwhile, the closure is not cancelled: its task is the caller's, and goes on afterwards. It learns of
/// the failure from what it uses. Calls on the broadcast that wait, and all later ones, throw
/// ``BroadcastError/Code/notRunning`` with the failure as ``BroadcastError/underlying``, and subscriptions end. A closure
/// that waits for something else goes on until that comes.
///
/// - Throws: Why `run()` failed, if it did, whether the closure returned or threw. Otherwise what the closure throws.
public func withBroadcast<Base: Broadcast, Result>(
  _ broadcast: Base, _ body: (Base) async throws -> Result
) async throws -> Result {
  let failure = FirstFailure()
  do {
    let result = try await running(broadcast, failure, body)
    if let error = failure.error { throw error }
    return result
  } catch {
    throw failure.error ?? error
  }
}

/// Leaving it cancels `run()` and waits for its end. Only then is it known whether that has failed: a closure may hear of a
/// failure, and be done, before `run()` has thrown it.
private func running<Base: Broadcast, Result>(
  _ broadcast: Base, _ failure: FirstFailure, _ body: (Base) async throws -> Result
) async throws -> Result {
  async let _: Void = failure.record { () async throws(BroadcastError) in try await broadcast.run() }
  return try await body(broadcast)
}

/// Keeps the error of something that runs beside other things.
private final class FirstFailure: Sendable {
  private let failure = Lock<BroadcastError?>(nil)

  var error: BroadcastError? { failure.withLock { $0 } }

  func record(_ body: @Sendable () async throws(BroadcastError) -> Void) async {
    do throws(BroadcastError) {
      try await body()
    } catch {
      // That it was cancelled, by whoever left or from outside, is no failure of its own.
      if error.code != .cancelled { failure.withLock { $0 = error } }
    }
  }
}
