//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A mistake in the command line or in the environment.
struct UsageError: Error, Hashable, Sendable {
  /// What was wrong and what is allowed.
  let message: String
  /// The command whose help tells more; nil where none was found.
  let command: String?
  /// How the program ends.
  let exitCode: ExitCode

  init(_ message: String, command: String? = nil, exitCode: ExitCode = .usage) {
    self.message = message
    self.command = command
    self.exitCode = exitCode
  }

  /// What the program says on standard error.
  var text: String {
    let help = command.map { "broadcast \($0) --help" } ?? "broadcast --help"
    // An argument may have come from anywhere.
    return "broadcast: \(TerminalText.escape(message))\ntry '\(help)'\n"
  }
}
