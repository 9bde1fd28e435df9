//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Makes a call until it succeeds or fails for good.
///
/// - Parameter retries: whether to try again at all.
func retrying<Result>(
  _ retries: Bool, _ call: () async throws(BroadcastError) -> Result, onFailure: (BroadcastError) -> Void
) async throws -> Result {
  var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(5))
  while true {
    do throws(BroadcastError) {
      return try await call()
    } catch {
      onFailure(error)
      guard retries, error.isRetriable else { throw error }
    }
    // The pause before the next attempt, longer each time, so that a server in trouble is not asked in a loop. It throws
    // when the task is cancelled.
    try await Task.sleep(for: backoff.next())
  }
}
