//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting

/// Returns once it has come so far. The test's time limit is the limit of this.
///
/// It looks again and again, for what nobody tells.
package func settle(_ isReached: () async throws -> Bool) async throws {
  while !(try await isReached()) { try await Task.sleep(for: .milliseconds(2)) }
}

/// The error with which a call fails; nil when it succeeds, or fails by an error of another kind.
package func failure(of call: () async throws -> some Any) async -> BroadcastError? {
  do {
    _ = try await call()
    return nil
  } catch {
    return error as? BroadcastError
  }
}
