//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `broadcast serve` as a process of its own, as a user starts it.
package final class ServerProcess: Sendable {
  package let port: Int
  private let process: ChildProcess

  /// Starts a server on 127.0.0.1 and waits until it says where it listens. Port 0 is any free one.
  package init(port: Int = 0, _ arguments: [String] = [], environment: [String: String] = [:]) async throws {
    process = try await Self.command(
      ["serve", "--host", "127.0.0.1", "--port", "\(port)"] + arguments, environment: environment)
    let line = try await process.line(containing: "listening on http://")
    guard let digits = line.split(separator: ":").last?.prefix(while: \.isNumber), let port = Int(digits) else {
      throw ProgramError(.refused, "no port in the line “\(line)”")
    }
    self.port = port
  }

  /// The command with any arguments, for what is not a running server.
  package static func command(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> ChildProcess {
    try await ChildProcess(executable(), arguments, environment: environment)
  }

  package var address: String { "127.0.0.1:\(port)" }
  package var url: String { "http://\(address)" }
  package var socketURL: String { "ws://\(address)/events" }

  /// The number of its process; nil when it has ended.
  package var identifier: Int? { process.identifier }

  /// What it has written to its log.
  package var log: [String] { process.transcript(.errors) }

  /// Asks it to go, by `SIGTERM`, and says how it went.
  @discardableResult
  package func stop(within limit: Duration = .seconds(60)) async throws -> ChildProcess.Exit {
    process.signal(.terminate)
    return try await process.exit(within: limit)
  }

  /// Ends it as a crash would, and returns when it is gone.
  package func kill() async throws {
    process.signal(.kill)
    try await process.exit()
  }

  /// It hangs from now on (SIGSTOP).
  package func freeze() { process.signal(.stop) }
  package func thaw() { process.signal(.resume) }

  /// The command beside the running test bundle; `BROADCAST_BINARY` names another.
  package static func executable() throws(ProgramError) -> String {
    if let named = currentEnvironment()["BROADCAST_BINARY"] { return named }
    var candidates: [String] = []
    for argument in CommandLine.arguments where argument.contains(".xctest") {
      // On macOS the path goes on inside the bundle.
      let bundle = argument.split(separator: "/", omittingEmptySubsequences: false)
        .prefix { !$0.hasSuffix(".xctest") }
      candidates.append(bundle.joined(separator: "/") + "/broadcast")
    }
    guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw ProgramError(
        .missing, "no broadcast command beside the tests (\(CommandLine.arguments)): swift build --product broadcast")
    }
    return found
  }
}
