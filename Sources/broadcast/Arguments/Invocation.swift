//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The options of a command, and what the command does with them.
protocol CommandOptions: Sendable, SendableMetatype {
  static var command: Command<Self> { get }

  /// - Throws: for what is wrong in the command line although each option by itself is right.
  func run() async throws(UsageError) -> ExitCode
}

/// What the command line asks the program to do.
enum Invocation: Sendable {
  case run(any CommandOptions)
  /// Print a text on standard output: help or the version.
  case print(String)

  /// The program's version, as `--version` prints it.
  static let version = "0.1.0"

  /// All commands, in the order of the help.
  private static let commands: [any CommandOptions.Type] = [
    ServeOptions.self, PublishOptions.self, SubscribeOptions.self, HistoryOptions.self, PresenceOptions.self,
    BenchOptions.self,
    PostgresOptions.self,
  ]

  /// Reads the arguments behind the program's name.
  static func parse(_ arguments: [String], environment: (String) -> String?) throws(UsageError) -> Invocation {
    guard let first = arguments.first else {
      throw UsageError("a command is missing: \(names.joined(separator: ", "))")
    }
    let rest = Array(arguments.dropFirst())
    switch first {
    case "-h", "--help": return .print(overview)
    case "help": return .print(try help(for: rest))
    case "--version": return .print("broadcast \(version)\n")
    default:
      if let command = commands.first(where: { $0.name == first }) {
        return try command.invocation(rest, environment: environment)
      }
      let near = nearest(to: first, among: names + ["--help", "--version"])
      let kind = first.hasPrefix("-") ? "option" : "command"
      throw UsageError("unknown \(kind) '\(first)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
  }

  private static var names: [String] { commands.map { $0.name } + ["help"] }

  private static func help(for words: [String]) throws(UsageError) -> String {
    guard let word = words.first else { return overview }
    guard let command = commands.first(where: { $0.name == word }) else {
      throw UsageError("unknown command '\(word)'")
    }
    return command.help
  }

  private static var overview: String {
    let commands =
      commands.map { HelpRow($0.name, $0.summary) } + [HelpRow("help [COMMAND]", "Print the help of a command.")]
    let options = [HelpRow("-h, --help", "Print this and exit."), HelpRow("--version", "Print the version and exit.")]
    let width = HelpRow.columnWidth(of: commands + options)
    func block(_ title: String, _ rows: [HelpRow]) -> String {
      ([title] + rows.flatMap { $0.lines(columnWidth: width) }).joined(separator: "\n")
    }
    return """
      Usage: broadcast COMMAND [options]

      Publish a message to a channel, and every subscriber of that channel gets it.

      \(block("Commands:", commands))

      \(block("Options:", options))

      'broadcast COMMAND --help' tells more of a command.

      """
  }
}

extension CommandOptions {
  fileprivate static var name: String { command.name }
  fileprivate static var summary: String { command.summary }
  fileprivate static var help: String { command.help }

  fileprivate static func invocation(
    _ arguments: [String], environment: (String) -> String?
  ) throws(UsageError) -> Invocation {
    switch try command.parse(arguments, environment: environment) {
    case .options(let options): .run(options)
    case .help: .print(command.help)
    }
  }
}
