//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// Runs a backend for the time of a closure, and ends it behind it.
///
/// The closure runs where the caller runs. If `run()` fails meanwhile, its error is thrown, for it is why the closure's
/// calls failed.
public func withBroadcast<Result>(
  _ url: String, among backends: [BroadcastBackend], _ body: (any Broadcast) async throws -> Result
) async throws -> Result {
  try await withBroadcast(try BroadcastBackend.open(url, among: backends), body)
}

/// Runs a broadcast for the time of a closure, and ends it behind it.
///
/// The closure runs where the caller runs. If `run()` fails meanwhile, its error is thrown, for it is why the closure's
/// calls failed.
public func withBroadcast<Base: Broadcast, Result>(
  _ broadcast: Base, _ body: (Base) async throws -> Result
) async throws -> Result {
  let failure = FirstFailure()
  async let _: Void = failure.record { () async throws(BroadcastError) in try await broadcast.run() }
  let result: Result
  do {
    result = try await body(broadcast)
  } catch {
    throw failure.error ?? error
  }
  if let error = failure.error { throw error }
  return result
  // Leaving cancels `run()` and waits for its end.
}

/// Keeps the error of something that runs beside other things, for whoever wants to know while it still runs.
private final class FirstFailure: Sendable {
  private let failure = Lock<BroadcastError?>(nil)

  var error: BroadcastError? { failure.withLock { $0 } }

  func record(_ body: @Sendable () async throws(BroadcastError) -> Void) async {
    do throws(BroadcastError) {
      try await body()
    } catch {
      failure.withLock { $0 = error }
    }
  }
}
