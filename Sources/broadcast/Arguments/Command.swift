//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A command of the program: its options as a table, from which both reading and help are made.
struct Command<Options: Sendable>: Sendable {
  /// The word behind `broadcast`.
  let name: String
  let summary: String
  /// What the command does, for its help.
  let overview: String
  let standard: Options
  /// The argument without a name that the command takes.
  let argument: Argument?
  let groups: [Group]
  /// How the command ends, for its help.
  let exits: [Exit]
  /// Refuses options that contradict each other, or whose values say nothing.
  let check: @Sendable (Options) throws(UsageError) -> Void

  /// The options under one heading of the help.
  struct Group: Sendable {
    let title: String
    let options: [Option<Options>]
  }

  /// One way to end, or several alike.
  struct Exit: Sendable {
    /// The code as a shell has it: for an end by a signal, 128 and the signal's number.
    let code: String
    let help: String
  }

  /// An argument without a name, which may be left out.
  struct Argument: Sendable {
    let placeholder: String
    let help: String
    let standard: String?
    let environment: String?
    let apply: @Sendable (inout Options, String) throws(ValueError) -> Void
  }

  var options: [Option<Options>] { groups.flatMap(\.options) }

  enum Outcome {
    case options(Options)
    case help
  }

  /// Reads the arguments behind the command's name. What stands in the command line goes before the environment; a
  /// variable that is empty counts as not set.
  func parse(_ arguments: [String], environment: (String) -> String?) throws(UsageError) -> Outcome {
    var values = standard
    var given: Set<String> = []
    var rest = arguments[...]
    var words: [String] = []
    while let word = rest.popFirst() {
      if word == "--" {
        words += rest
        break
      }
      if word == "-h" || word == "--help" { return .help }
      guard word.hasPrefix("-"), word != "-" else {
        words.append(word)
        continue
      }
      given.insert(try applyOption(word, &rest, to: &values))
    }

    if let word = words.first, let argument {
      try apply(word, to: &values, as: argument.placeholder, argument.apply)
      given.insert(argument.placeholder)
      words.removeFirst()
    }
    if let surplus = words.first { throw usage("unexpected argument '\(surplus)'") }
    try applyEnvironment(environment, except: given, to: &values)
    try check(values)
    return .options(values)
  }

  /// Reads `--name value`, `--name=value` or `--flag`.
  /// - Returns: the option's name.
  private func applyOption(
    _ word: String, _ rest: inout ArraySlice<String>, to values: inout Options
  ) throws(UsageError) -> String {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = options.first(where: { $0.name == name }) else {
      let near = nearest(to: name, among: options.map(\.name) + ["--help"])
      throw usage("unknown option '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
    guard let placeholder = option.placeholder else {
      guard parts.count == 1 else { throw usage("the option \(name) takes no value") }
      try apply("", to: &values, as: name, option.apply)
      return name
    }
    guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
      throw usage("the option \(name) needs a value: \(name) \(placeholder)")
    }
    // Most likely the value was forgotten. One that does begin so can be written behind an equals sign.
    if parts.count == 1, options.contains(where: { $0.name == value }) {
      throw usage("the option \(name) needs a value: \(name) \(placeholder)")
    }
    try apply(value, to: &values, as: name, option.apply)
    return name
  }

  /// What was given in the command line is not looked at here, be it right or wrong.
  private func applyEnvironment(
    _ environment: (String) -> String?, except given: Set<String>, to values: inout Options
  ) throws(UsageError) {
    for option in options where !given.contains(option.name) {
      guard let variable = option.environment, let value = environment(variable), !value.isEmpty else { continue }
      try apply(value, to: &values, as: variable, option.apply)
    }
    guard let argument, !given.contains(argument.placeholder), let variable = argument.environment,
      let value = environment(variable), !value.isEmpty
    else { return }
    try apply(value, to: &values, as: variable, argument.apply)
  }

  private func apply(
    _ value: String, to values: inout Options, as name: String,
    _ apply: (inout Options, String) throws(ValueError) -> Void
  ) throws(UsageError) {
    do throws(ValueError) {
      try apply(&values, value)
    } catch {
      throw usage("\(name) is '\(value)'; it must be \(error.allowed)")
    }
  }

  private func usage(_ message: String) -> UsageError { UsageError(message, command: name) }
}
