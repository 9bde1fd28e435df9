//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("Arguments without a name, and short options")
struct ArgumentTests {
  struct Options: Equatable {
    var target = ""
    var word = "none"
    var names: [String] = []
    var count = 0
    var isQuiet = false
  }

  private static func command(_ arguments: [Command<Options>.Argument]) -> Command<Options> {
    Command(
      name: "try", summary: "", overview: "Tries.", standard: Options(), arguments: arguments,
      groups: [
        .init(
          title: "Options",
          options: [
            .value("--count", .number(0...9), \.count, standard: Options(), letter: "-n", "How many."),
            .flag("--quiet", \.isQuiet, letter: "-q", "Say nothing."),
          ])
      ], exits: [], misuse: .misuse, check: { _ in })
  }

  private static let target = Command<Options>.Argument(
    placeholder: "TARGET", presence: .required, help: "Where to."
  ) { options, text throws(ValueError) in
    options.target = try ValueKind.text("TARGET").parse(text)
  }
  private static let word = Command<Options>.Argument(
    placeholder: "WORD", presence: .optional, help: "What.", standard: "none", environment: "WORD"
  ) { options, text in
    options.word = text
  }
  private static let names = Command<Options>.Argument(
    placeholder: "NAME", presence: .rest, help: "Who."
  ) { options, text in
    options.names.append(text)
  }

  private func parse(
    _ command: Command<Options>, _ arguments: [String], environment: [String: String] = [:]
  ) throws(UsageError) -> Options? {
    guard case .options(let options) = try command.parse(arguments, environment: { environment[$0] }) else {
      return nil
    }
    return options
  }

  @Test("words fill the arguments in their order")
  func order() throws {
    let command = Self.command([Self.target, Self.word])
    #expect(try parse(command, ["a"])?.target == "a")
    #expect(try parse(command, ["a"])?.word == "none")
    #expect(try parse(command, ["a", "--quiet", "b"]) == Options(target: "a", word: "b", isQuiet: true))
    #expect(try parse(command, ["a"], environment: ["WORD": "c"])?.word == "c")
    #expect(try parse(command, ["a", "b"], environment: ["WORD": "c"])?.word == "b")
  }

  @Test("a missing argument is named, with how the command is written")
  func missing() throws {
    let error = try #require(throws: UsageError.self) { try parse(Self.command([Self.target, Self.names]), ["a"]) }
    #expect(error.message == "NAME is missing: broadcast try TARGET NAME...")
    #expect(error.exitCode == .misuse)
    #expect(throws: UsageError.self) { try parse(Self.command([Self.target]), []) }
    #expect(throws: UsageError.self) { try parse(Self.command([Self.target]), [""]) }
  }

  @Test("the last argument may take all that is left")
  func rest() throws {
    let command = Self.command([Self.target, Self.names])
    #expect(try parse(command, ["a", "b", "-q", "c", "--", "-d"])?.names == ["b", "c", "-d"])
  }

  @Test("a surplus argument is refused")
  func surplus() throws {
    let error = try #require(throws: UsageError.self) { try parse(Self.command([Self.target]), ["a", "b"]) }
    #expect(error.message == "unexpected argument 'b'")
  }

  @Test(
    "a letter stands for an option", arguments: [["-n", "5"], ["-n5"], ["-n=5"], ["--count", "5"], ["--count=5"]])
  func letters(arguments: [String]) throws {
    #expect(try parse(Self.command([]), arguments)?.count == 5)
  }

  @Test("an option that is written wrong is named in full", arguments: ["-x", "-port", "-qn", "-n", "-n-1"])
  func wrongLetters(word: String) throws {
    let error = try #require(throws: UsageError.self) { try parse(Self.command([]), [word]) }
    #expect(error.message.contains(word.hasPrefix("-n") ? "-n" : word.hasPrefix("-q") ? "-q" : "'\(word)'"))
  }

  @Test("help shows the arguments and the letters")
  func help() {
    let help = Self.command([Self.target, Self.word, Self.names]).help
    #expect(help.hasPrefix("Usage: broadcast try TARGET [WORD] NAME... [options]\n"))
    #expect(help.contains("\n  -n, --count N  How many. [default: 0]\n"))
    #expect(help.contains("\n  WORD           What. [default: none, env: WORD]\n"))
  }
}
