//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The command in a terminal of its own, with somebody at the keyboard.
package final class Terminal: Sendable {
  package enum Key: String, Sendable {
    /// Interrupts what runs.
    case controlC = "\u{3}"
    /// Ends the input, at the beginning of a line.
    case controlD = "\u{4}"
  }

  private let process: ChildProcess

  /// Starts `broadcast` with `arguments`.
  package init(_ arguments: [String]) async throws {
    process = try await PythonProgram.terminal.start([try ServerProcess.executable()] + arguments)
  }

  /// Types a line and Enter.
  package func type(_ line: String) throws { try process.send(line) }

  package func press(_ key: Key) throws { try process.send(key.rawValue, terminator: "") }

  /// The next line on the screen that contains `text`: what was printed, or typed.
  @discardableResult
  package func line(containing text: String) async throws -> String { try await process.line(containing: text) }

  /// Everything that has appeared.
  package var screen: [String] { process.transcript() }

  /// The exit code as a shell has it: 128 and its number after a signal.
  package func exit() async throws -> Int32 {
    switch try await process.exit() {
    case .code(let code): code
    case .signal(let number): 128 + number
    }
  }
}
