//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The options of publish and subscribe")
struct ClientOptionsTests {
  private func publish(_ arguments: String...) throws -> PublishOptions {
    guard
      case .run(let options as PublishOptions) = try Invocation.parse(
        ["publish"] + arguments, environment: { _ in nil })
    else { throw UsageError("not a command to publish") }
    return options
  }

  private func subscribe(_ arguments: String...) throws -> SubscribeOptions {
    let invocation = try Invocation.parse(["subscribe"] + arguments, environment: { _ in nil })
    guard case .run(let options as SubscribeOptions) = invocation else {
      throw UsageError("not a command to subscribe")
    }
    return options
  }

  @Test("publish takes a target, a channel and maybe a message")
  func publishArguments() throws {
    var expected = PublishOptions()
    expected.connection.target = "localhost"
    expected.channel = "news"
    #expect(try publish("localhost", "news") == expected)
    expected.message = "hello"
    #expect(try publish("localhost", "news", "hello") == expected)
    expected.message = ""
    #expect(try publish("localhost", "news", "") == expected)
    expected.message = "-1"
    #expect(try publish("localhost", "news", "--", "-1") == expected)
  }

  @Test("every option of publish reaches its place")
  func publishOptions() throws {
    var expected = PublishOptions()
    expected.connection = ConnectionOptions(
      target: "https://a", authorityFile: "ca.pem",
      headers: [.init(name: "A", value: "b"), .init(name: "C", value: "d")], timeout: .seconds(3), retries: true)
    expected.channel = "news"
    expected.isBinary = true
    expected.maxMessage = 2_048
    #expect(
      try publish(
        "https://a", "news", "--ca-file", "ca.pem", "--header", "A: b", "--header=C:d", "--timeout", "3s", "--retry",
        "--binary", "--max-message", "2k") == expected)
  }

  @Test(
    "a message may be as large as the target takes by default",
    arguments: [("https://a", 1 << 20), ("redis://a", 1 << 20), ("kafka://a", 1_000_000), ("KAFKA://a", 1_000_000)])
  func usualSize(target: String, size: Int) throws {
    #expect(try publish(target, "news").maxMessage == size)
    #expect(try publish(target, "news", "--max-message", "1MiB").maxMessage == 1 << 20)
    var options = ServeOptions()
    options.url = target
    #expect(options.maxMessage == size)
  }

  @Test("every option of subscribe reaches its place")
  func subscribeOptions() throws {
    var expected = SubscribeOptions()
    expected.connection = ConnectionOptions(
      target: "https://a", authorityFile: "ca.pem", headers: [.init(name: "A", value: "b")], timeout: .seconds(3),
      retries: true)
    expected.channels = ["news", "chat"]
    expected.count = 5
    expected.isJSON = true
    expected.maxBacklog = 1 << 20
    #expect(
      try subscribe(
        "https://a", "news", "chat", "--ca-file", "ca.pem", "--header", "A: b", "--timeout", "3s", "--retry", "--json",
        "-n5", "--max-backlog", "1MiB") == expected)
    expected.isJSON = false
    expected.isBinary = true
    #expect(
      try subscribe(
        "https://a", "--binary", "news", "--ca-file", "ca.pem", "--header", "A: b", "--timeout", "3s", "--retry",
        "chat",
        "--count=5", "--max-backlog", "1MiB") == expected)
  }

  @Test(
    "a wrong command line ends as curl's does, and says what is missing",
    arguments: [
      (["publish"], "TARGET is missing: broadcast publish TARGET CHANNEL [MESSAGE]"),
      (["publish", "localhost"], "CHANNEL is missing"),
      (["publish", "localhost", "a", "b", "c"], "unexpected argument 'c'"),
      (["publish", "localhost", "a", "--bin"], "unknown option '--bin'"),
      (["subscribe"], "TARGET is missing: broadcast subscribe TARGET CHANNEL..."),
      (["subscribe", "localhost"], "CHANNEL is missing"), (["subscribe", "localhost", "a", "-n", "0"], "from 1 to"),
      (["subscribe", "localhost", "a", "--timeout", "5"], "such as 500ms, 20s or 2m"),
      (["subscribe", "localhost", "a", "--header", "A"], "a name, a colon and a value"),
      (["subscribe", "localhost", "a", "--header", "A b: c"], "a name, a colon and a value"),
      (["subscribe", "localhost", "a", "--header", "Host: b"], "does not write itself"),
      (["subscribe", "localhost", "a", "--header", "A: b\r\nC: d"], "a name, a colon and a value"),
      (["subscribe", "localhost", "a", "--json", "--binary"], "contradict"),
    ])
  func wrong(arguments: [String], words: String) throws {
    let error = try #require(throws: UsageError.self) { try Invocation.parse(arguments, environment: { _ in nil }) }
    #expect(error.message.contains(words), "\(error.message)")
    #expect(error.exitCode.rawValue == 2)
    #expect(error.command == arguments[0])
  }

  @Test("help shows every option and exit code, and no line wider than a screen")
  func help() {
    check(PublishOptions.command, codes: ["1", "2", "3", "6", "7", "22", "26", "28", "35", "60", "130, 143"])
    check(SubscribeOptions.command, codes: ["0", "1", "2", "3", "6", "7", "22", "23", "28", "35", "60", "130, 143"])
  }

  private func check<Options>(_ command: Command<Options>, codes: [String]) {
    let help = command.help
    for option in command.options { #expect(help.contains(option.name)) }
    for code in codes { #expect(help.contains("\n  \(code) "), "\(code)") }
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= HelpRow.width })
    #expect(Set(command.options.map(\.name)).count == command.options.count)
  }
}
