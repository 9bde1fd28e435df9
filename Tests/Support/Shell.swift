//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Scripts for bash in which `broadcast` is the command under test.
package enum Shell {
  /// Starts a script. Its variables are `environment`.
  package static func start(_ script: String, _ environment: [String: String] = [:]) async throws -> ChildProcess {
    let executable = try ServerProcess.executable()
    let folder = executable.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    var environment = environment
    environment["PATH"] = "\(folder):\(currentEnvironment()["PATH"] ?? "/usr/bin:/bin")"
    return try await ChildProcess("/bin/bash", ["-c", script], environment: environment)
  }

  /// Runs a script to its end, and gives back what it printed.
  package static func run(_ script: String, _ environment: [String: String] = [:]) async throws -> [String] {
    let shell = try await start(script, environment)
    try await shell.exit()
    return shell.transcript()
  }
}
