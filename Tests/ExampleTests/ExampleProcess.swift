//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import TestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An example as a user starts it, from nothing: `scripts/example NAME`, on a free port.
final class ExampleProcess: Sendable {
  let port: Int
  /// What the script and the programs say: standard output and, by `transcript(.errors)`, standard error.
  let script: ChildProcess
  private let reserved: ReservedPort

  /// Whether ``kill()`` has ended it.
  private let isKilled = Lock(false)

  private init(_ name: String, _ reserved: ReservedPort, _ environment: [String: String]) async throws {
    self.reserved = reserved
    port = reserved.number
    // Those of whoever runs the tests are not the example's.
    let fresh = [
      "PORT": "\(reserved.number)", "HOST": "", "DATABASE_URL": "", "REDIS_URL": "",
      "BROADCAST_URL": "",
    ]
    script = try await ChildProcess(
      "\(projectFolder)/scripts/example", [name], environment: fresh.merging(environment) { $1 },
      lastSignal: .terminate)
    // It builds first, and that takes minutes where nobody has built it before.
    try await script.line(containing: "listening on http://", within: .seconds(900))
  }

  /// Starts an example, runs the body once it listens, and ends it by SIGINT, as control-C does. Then nothing of it may be left: no
  /// process, and no file.
  ///
  /// - Parameters:
  ///   - name: what stands behind `make`.
  ///   - port: where it listens; any that is free if nil.
  ///   - environment: more of it, such as a `DATABASE_URL`.
  static func with<Result>(
    _ name: String, port: ReservedPort? = nil, environment: [String: String] = [:],
    _ body: (ExampleProcess) async throws -> Result
  ) async throws -> Result {
    let example = try await ExampleProcess(name, port ?? ReservedPort.any(), environment)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(example)) } catch { result = .failure(error) }
    // What the body found out comes first.
    do { try await example.stop() } catch { _ = try result.get(); throw error }
    return try result.get()
  }

  var address: String { "127.0.0.1:\(port)" }
  var url: String { "http://\(address)" }

  /// The URL of a WebSocket.
  func socketURL(_ path: String) -> String { "ws://\(address)\(path)" }

  /// The database or the Redis that the script has started, as it says.
  func broker(_ variable: String) throws -> String { try said("\(variable)=") }

  /// Ends the programs of the examples that run in it as a crash would, by SIGKILL. The script cleans up after them, and has ended
  /// when this returns.
  func kill() async throws {
    isKilled.withLock { $0 = true }
    let processes = script.identifier.map { ProcessTree.descendants(of: $0) } ?? []
    // The system knows it by its true name: "debug" is a link.
    let folder = "\(projectFolder)/Examples/.build/"
    ProcessTree.signal(processes.filter { ProcessTree.executable(of: $0)?.hasPrefix(folder) == true }, SIGKILL)
    try await script.exit()
    try await ProcessTree.waitForEnd(of: processes)
  }

  private func stop() async throws {
    if isKilled.withLock({ $0 }) { return }
    guard let identifier = script.identifier else {
      throw ExampleFailure("It had ended before it was asked to: \(transcript)")
    }
    let processes = ProcessTree.descendants(of: identifier)
    script.signal(.interrupt)
    let exit = try await script.exit()
    guard exit == .code(0) else { throw ExampleFailure("It ended with \(exit): \(transcript)") }
    let alive = ProcessTree.alive(among: processes)
    guard alive.isEmpty else { throw ExampleFailure("It left the processes \(alive) of \(processes) behind.") }
    if let folder = try? said("files in ") {
      guard (try? TemporaryFolder.entries(of: folder)) == nil else {
        throw ExampleFailure("It left its folder \(folder) behind.")
      }
    }
  }

  /// What stands behind these words in a line of the script's.
  private func said(_ words: String) throws -> String {
    for line in script.transcript() {
      if let range = line.firstRange(of: words) { return String(line[range.upperBound...]) }
    }
    throw ExampleFailure("The script did not say “\(words)”: \(transcript)")
  }

  /// Where a program of the examples lies once it has been built.
  static func binary(_ program: String) -> String { "\(projectFolder)/Examples/.build/debug/\(program)" }

  private var transcript: String {
    (script.transcript() + script.transcript(.errors)).suffix(40).joined(separator: "\n")
  }
}

/// What an example did wrong as a program.
struct ExampleFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
