//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The pauses between attempts.
struct RetryPause {
  private var next = Duration.milliseconds(100)

  /// Waits longer each time, up to 5 seconds.
  ///
  /// - Throws: when the task is cancelled.
  mutating func wait() async throws {
    try await Task.sleep(for: next)
    next = min(next * 2, .seconds(5))
  }
}

/// Makes a call until it succeeds or fails for good.
///
/// - Parameter retries: whether to try again at all.
func retrying<Result>(
  _ retries: Bool, _ call: () async throws(BroadcastError) -> Result, onFailure: (BroadcastError) -> Void
) async throws -> Result {
  var pause = RetryPause()
  while true {
    do throws(BroadcastError) {
      return try await call()
    } catch {
      onFailure(error)
      guard retries, error.isRetriable else { throw error }
    }
    try await pause.wait()
  }
}
