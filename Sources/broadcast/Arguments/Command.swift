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
  /// The arguments without a name, in their order: required ones first, and one that takes all the rest at most last.
  var arguments: [Argument] = []
  let groups: [Group]
  /// How the command ends, for its help.
  let exits: [Exit]
  /// How it ends when the command line is wrong.
  var misuse = ExitCode.usage
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

  /// An argument without a name.
  struct Argument: Sendable {
    enum Presence: Sendable {
      case required, optional
      /// It takes all arguments that are left, one at least.
      case rest
    }

    let placeholder: String
    let presence: Presence
    let help: String
    var standard: String?
    var environment: String?
    /// Reads the value into the options; called for each that there is.
    let apply: @Sendable (inout Options, String) throws(ValueError) -> Void

    /// As it stands in the line that shows how the command is used.
    var usage: String {
      switch presence {
      case .required: placeholder
      case .optional: "[\(placeholder)]"
      case .rest: "\(placeholder)..."
      }
    }
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

    given.formUnion(try applyArguments(words[...], to: &values))
    try applyEnvironment(environment, except: given, to: &values)
    try check(values)
    return .options(values)
  }

  /// How the command is written, without its options.
  var synopsis: String { (["broadcast", name] + arguments.map(\.usage)).joined(separator: " ") }

  /// - Returns: the placeholders of the arguments that were given.
  private func applyArguments(
    _ words: ArraySlice<String>, to values: inout Options
  ) throws(UsageError) -> Set<String> {
    var words = words
    var given: Set<String> = []
    for argument in arguments {
      guard let first = words.popFirst() else {
        if argument.presence == .optional { continue }
        throw usage("\(argument.placeholder) is missing: \(synopsis)")
      }
      try apply(first, to: &values, as: argument.placeholder, argument.apply)
      given.insert(argument.placeholder)
      while argument.presence == .rest, let next = words.popFirst() {
        try apply(next, to: &values, as: argument.placeholder, argument.apply)
      }
    }
    if let surplus = words.first { throw usage("unexpected argument '\(surplus)'") }
    return given
  }

  /// Reads `--name value`, `--name=value` or `--flag`; `-n value`, `-n=value` or `-nvalue` where an option has a letter.
  /// - Returns: the option's name.
  private func applyOption(
    _ word: String, _ rest: inout ArraySlice<String>, to values: inout Options
  ) throws(UsageError) -> String {
    var parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let letter = word.prefix(2)
    if parts[0].count > 2, options.contains(where: { $0.letter == String(letter) }) {
      parts = [letter, word.dropFirst(2)]
    }
    let name = String(parts[0])
    guard let option = options.first(where: { $0.name == name || $0.letter == name }) else {
      let near = nearest(to: name, among: options.map(\.name) + ["--help"])
      throw usage("unknown option '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
    guard let placeholder = option.placeholder else {
      guard parts.count == 1 else { throw usage("the option \(name) takes no value") }
      try apply("", to: &values, as: name, option.apply)
      return option.name
    }
    guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
      throw usage("the option \(name) needs a value: \(name) \(placeholder)")
    }
    // Most likely the value was forgotten. One that does begin so can be written behind an equals sign.
    if parts.count == 1, options.contains(where: { $0.name == value || $0.letter == value }) {
      throw usage("the option \(name) needs a value: \(name) \(placeholder)")
    }
    try apply(value, to: &values, as: name, option.apply)
    return option.name
  }

  /// What was given in the command line is not looked at here, be it right or wrong.
  private func applyEnvironment(
    _ environment: (String) -> String?, except given: Set<String>, to values: inout Options
  ) throws(UsageError) {
    for option in options where !given.contains(option.name) {
      guard let variable = option.environment, let value = environment(variable), !value.isEmpty else { continue }
      try apply(value, to: &values, as: variable, option.apply)
    }
    for argument in arguments where !given.contains(argument.placeholder) {
      guard let variable = argument.environment, let value = environment(variable), !value.isEmpty else { continue }
      try apply(value, to: &values, as: variable, argument.apply)
    }
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

  private func usage(_ message: String) -> UsageError { UsageError(message, command: name, exitCode: misuse) }
}
