//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What the command line asks the program to do.
enum Invocation: Sendable {
  case serve(ServeOptions)
  /// Print a text on standard output: help or the version.
  case print(String)

  /// The program's version, as `--version` prints it.
  static let version = "0.1.0"

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
    case serve.name: return try serve.parse(rest, environment: environment).invocation(serve, Invocation.serve)
    default:
      let near = nearest(to: first, among: names + ["--help", "--version"])
      let kind = first.hasPrefix("-") ? "option" : "command"
      throw UsageError("unknown \(kind) '\(first)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
  }

  private static let serve = ServeOptions.command
  private static let names = [serve.name, "help"]

  private static func help(for words: [String]) throws(UsageError) -> String {
    guard let word = words.first else { return overview }
    guard word == serve.name else { throw UsageError("unknown command '\(word)'") }
    return serve.help
  }

  private static var overview: String {
    let commands = [HelpRow(serve.name, serve.summary), HelpRow("help [COMMAND]", "Print the help of a command.")]
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

extension Command.Outcome {
  fileprivate func invocation(_ command: Command, _ run: (Options) -> Invocation) -> Invocation {
    switch self {
    case .options(let options): run(options)
    case .help: .print(command.help)
    }
  }
}
