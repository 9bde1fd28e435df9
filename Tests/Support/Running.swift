//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting

extension HubConfiguration {
  /// For tests: it comes back soon, and a failed start is an error at once.
  package mutating func hurry() {
    shortestReconnectDelay = .milliseconds(5)
    longestReconnectDelay = .milliseconds(50)
    connectPatience = .zero
  }
}

/// Runs a backend while `body` runs, once it has its connection.
package func withConnected<Backend: Broadcast>(
  _ backend: Backend, _ body: (Backend) async throws -> Void
) async throws {
  try await withBroadcast(backend) { broadcast in
    try await settle { broadcast.statistics.isAvailable }
    try await body(broadcast)
  }
}
