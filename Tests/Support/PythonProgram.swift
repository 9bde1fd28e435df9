//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// One of the programs in `Programs`, run by the Python of the tests.
package enum PythonProgram: String, Sendable {
  /// A WebSocket client that parses what it gets as JSON, and comes back when it has lost its connection.
  case subscriber
  /// A WebSocket client that remembers where it stands, and comes back by that.
  case follower
  /// Many WebSocket clients which say how each of them was closed.
  case closings
  /// A WebSocket client on autobahn, which sends all of its requests at once and prints the answers.
  case requests
  /// HTTP on a raw socket, for what no polite client sends.
  case raw
  /// A server that does one thing wrong.
  case faulty
  /// The library "broadcaster" on a broker.
  case peer
  /// A terminal with a program in it; see ``Terminal``.
  case terminal
  /// Drives Chromium; see ``Browser``.
  case browser

  package func start(_ arguments: [String]) async throws -> ChildProcess {
    try await ChildProcess(
      Tool.python.path, ["-u", "\(projectFolder)/Tests/Support/Programs/\(rawValue).py"] + arguments,
      lastSignal: .terminate)
  }
}
