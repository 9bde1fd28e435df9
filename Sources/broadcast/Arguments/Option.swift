//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// One option of a command: how it is written, what help says of it, and where its value goes.
struct Option<Options: Sendable>: Sendable {
  /// With its dashes, such as `--port`.
  let name: String
  /// The short form with its dash, such as `-n`.
  var letter: String?
  /// What stands for the value in help; nil for an option that takes none.
  let placeholder: String?
  let help: String
  /// What holds without the option, for help.
  let standard: String?
  /// The variable of the environment that gives the value when the command line doesn't.
  let environment: String?
  /// Reads the value into the options; an error says what is allowed.
  let apply: @Sendable (inout Options, String) throws(ValueError) -> Void

  /// Takes one value; the last one counts.
  static func value<Value>(
    _ name: String, _ kind: ValueKind<Value>, _ target: any WritableKeyPath<Options, Value> & Sendable,
    standard: Options, letter: String? = nil, environment: String? = nil, _ help: String
  ) -> Option {
    Option(
      name: name, letter: letter, placeholder: kind.placeholder, help: help,
      standard: kind.format(standard[keyPath: target]),
      environment: environment
    ) { options, text throws(ValueError) in
      options[keyPath: target] = try kind.parse(text)
    }
  }

  /// Takes a value each time it stands there.
  static func list(
    _ name: String, _ placeholder: String, _ target: any WritableKeyPath<Options, [String]> & Sendable, _ help: String
  ) -> Option {
    Option(name: name, placeholder: placeholder, help: help, standard: nil, environment: nil) { options, text in
      options[keyPath: target].append(text)
    }
  }

  /// Takes a value each time it stands there, of a kind that is checked.
  static func list<Value>(
    _ name: String, _ kind: ValueKind<Value>, _ target: any WritableKeyPath<Options, [Value]> & Sendable,
    _ help: String
  ) -> Option {
    Option(name: name, placeholder: kind.placeholder, help: help, standard: nil, environment: nil) {
      options, text throws(ValueError) in
      options[keyPath: target].append(try kind.parse(text))
    }
  }

  /// Takes no value.
  static func flag(
    _ name: String, _ target: any WritableKeyPath<Options, Bool> & Sendable, is value: Bool = true,
    letter: String? = nil, _ help: String
  ) -> Option {
    Option(name: name, letter: letter, placeholder: nil, help: help, standard: nil, environment: nil) { options, _ in
      options[keyPath: target] = value
    }
  }
}
