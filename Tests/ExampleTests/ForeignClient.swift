//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport

/// A foreign program that speaks to an example: one of `Programs`, run by the Python of the tests.
enum ForeignClient {
  static func start(_ name: String, _ arguments: [String]) async throws -> ChildProcess {
    try await ChildProcess(
      Tool.python.path, ["-u", "\(projectFolder)/Tests/ExampleTests/Programs/\(name).py"] + arguments,
      lastSignal: .terminate)
  }
}
