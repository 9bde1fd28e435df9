//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import broadcast

@Suite("Histories in the command line")
struct HistoryTextTests {
  private func serve(_ arguments: String..., environment: [String: String] = [:]) throws -> ServeOptions {
    let invocation = try Invocation.parse(["serve"] + arguments) { environment[$0] }
    guard case .run(let options as ServeOptions) = invocation else { throw Failure("no options", .misuse) }
    return options
  }

  @Test("a rule is a pattern and what is kept; the pattern may have an equals sign")
  func rules() throws {
    #expect(
      try serve("--history", "chat.*=100").history == [
        .init(ChannelPattern("chat.*"), HistoryPolicy(maximumMessages: 100))
      ])
    #expect(
      try serve("--history", "a=b=7,64KiB,2h").history == [
        .init(
          ChannelPattern("a=b"),
          HistoryPolicy(maximumMessages: 7, maximumBytes: 65_536, maximumAge: .seconds(7_200)))
      ])
    #expect(
      try serve("--history", "chat.private=none", "--history=chat.*=5,1MiB").history == [
        .init(ChannelPattern("chat.private"), nil), .init(ChannelPattern("chat.*"), HistoryPolicy(maximumMessages: 5)),
      ])
  }

  @Test("the environment has several with semicolons, and the command line goes before it")
  func environment() throws {
    let environment = ["BROADCAST_HISTORY": "a=none;b*=3"]
    #expect(try serve(environment: environment).history.map(\.pattern.glob) == ["a", "b*"])
    #expect(try serve("--history", "c=1", environment: environment).history.map(\.pattern.glob) == ["c"])
  }

  @Test("what is written is read again")
  func format() throws {
    let text = "chat.x=none;chat.*=100,1MiB,1d;*=7,1000,90s"
    #expect(HistoryText.format(try HistoryText.rules(text)) == text)
  }

  @Test(
    "what is wrong is told with what is right",
    arguments: [
      "chat", "=5", "chat=", "chat=0", "chat=-1", "chat=x", "chat=100001", "chat=5,", "chat=5,0", "chat=5,65MiB",
      "chat=5,1,0s", "chat=5,1,1", "chat=5,1,367d", "chat=5,1,1d,1", "chat=None",
    ])
  func refusals(rule: String) throws {
    let error = try #require(throws: UsageError.self) { try serve("--history", rule) }
    #expect(error.message.contains("--history is '\(rule)'; it must be"))
  }

  @Test("at most 64 rules are taken")
  func tooMany() throws {
    let rules = (0...HistoryPolicies.maximumRules).map { "c\($0)=1" }.joined(separator: ";")
    let error = try #require(throws: UsageError.self) { try serve("--history", rules) }
    #expect(error.message.contains("64"))
  }

  @Test("a subscription begins with the last messages, or behind a position")
  func starts() throws {
    func subscribe(_ arguments: String...) throws -> SubscribeOptions {
      guard
        case .run(let options as SubscribeOptions) = try Invocation.parse(
          ["subscribe", "x"] + arguments, environment: { _ in nil })
      else { throw Failure("no options", .misuse) }
      return options
    }
    #expect(try subscribe("a").start == .live)
    #expect(try subscribe("a", "b", "--last", "5").start == .last(5))
    #expect(try subscribe("a", "--after", "12-3").start == .after(.init(epoch: 12, offset: 3)))
    #expect(try subscribe("a", "a", "--after", "0-0").start == .after(.beginning))
    for wrong in [
      ["--last", "-1"], ["--last", "10001"], ["--after", "5"], ["--after", "1-2-3"], ["--last", "1", "--after", "1-1"],
      ["b", "--after", "1-1"],
    ] {
      #expect(throws: UsageError.self) {
        try Invocation.parse(["subscribe", "x", "a"] + wrong, environment: { _ in nil })
      }
    }
  }

  @Test("a history is the last 100 unless more or less is asked for")
  func history() throws {
    func history(_ arguments: String...) throws -> HistoryOptions {
      guard
        case .run(let options as HistoryOptions) = try Invocation.parse(
          ["history", "x", "a"] + arguments, environment: { _ in nil })
      else { throw Failure("no options", .misuse) }
      return options
    }
    #expect(try history().count == nil)
    #expect(try history("-n", "7", "--after", "1-1").after == .init(epoch: 1, offset: 1))
    #expect(throws: UsageError.self) { try history("--json", "--binary") }
    #expect(throws: UsageError.self) { try history("b") }
  }

  @Test("a message as JSON has its position where there is one, and no time where none is known")
  func json() {
    let message = Message("m", to: "a", position: .init(epoch: 4, offset: 2))
    #expect(
      String(decoding: MessageFormat.json.bytes(of: message, at: nil), as: UTF8.self)
        == "{\"channel\":\"a\",\"position\":\"4-2\",\"payload\":\"m\"}\n")
    #expect(
      String(decoding: MessageFormat.json.bytes(of: message, at: 0), as: UTF8.self)
        .hasPrefix("{\"time\":\"1970-01-01T00:00:00"))
  }

  @Test("help names the options and the command")
  func help() throws {
    for (words, text) in [
      (["serve", "--help"], "--history RULE"), (["subscribe", "--help"], "--last N"),
      (["subscribe", "--help"], "--after POSITION"), (["publish", "--help"], "--history LIMITS"),
      (["history", "--help"], "Usage: broadcast history TARGET CHANNEL [options]"), (["--help"], "history"),
    ] {
      guard case .print(let help) = try Invocation.parse(words, environment: { _ in nil }) else {
        Issue.record("no help")
        continue
      }
      #expect(help.contains(text))
    }
  }
}
