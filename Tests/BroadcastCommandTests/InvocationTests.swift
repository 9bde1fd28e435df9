//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The command line")
struct InvocationTests {
  private func parse(_ arguments: String..., environment: [String: String] = [:]) throws(UsageError) -> Invocation {
    try Invocation.parse(arguments, environment: { environment[$0] })
  }

  private func serve(_ arguments: String..., environment: [String: String] = [:]) throws -> ServeOptions {
    let invocation = try Invocation.parse(["serve"] + arguments, environment: { environment[$0] })
    guard case .run(let options as ServeOptions) = invocation else { throw UsageError("not a command to serve") }
    return options
  }

  private func refusal(_ arguments: String..., environment: [String: String] = [:]) throws -> UsageError {
    try #require(throws: UsageError.self) { try Invocation.parse(arguments, environment: { environment[$0] }) }
  }

  @Test("without options the defaults hold")
  func defaults() throws {
    #expect(try serve() == ServeOptions())
  }

  @Test("every option reaches its place")
  func allOptions() throws {
    let options = try serve(
      "redis://localhost", "--host", "::1", "--port", "0", "--loops=3", "--max-message", "2MiB", "--max-backlog=8MiB",
      "--max-backlog-messages", "10", "--max-memory", "1GiB", "--max-connections", "5", "--max-channels", "6",
      "--max-target",
      "4k", "--max-headers", "16KiB", "--max-header-fields", "50", "--request-timeout", "500ms", "--idle-timeout", "2m",
      "--ping-interval", "5s", "--ping-timeout", "1s", "--stop-timeout", "3s", "--channels", "a.*", "--channels=b",
      "--allow-origin", "https://a.example", "--allow-origin", "*", "--allow-host=a.example", "--insecure", "--no-page",
      "--no-push",
      "--log-format", "json")
    var expected = ServeOptions()
    expected.url = "redis://localhost"
    expected.host = "::1"
    expected.port = 0
    expected.loops = 3
    expected.maxMessage = 2 << 20
    expected.maxBacklog = 8 << 20
    expected.maxBacklogMessages = 10
    expected.maxMemory = 1 << 30
    expected.maxConnections = 5
    expected.maxChannels = 6
    expected.maxTarget = 4_096
    expected.maxHeaders = 16_384
    expected.maxHeaderFields = 50
    expected.requestTimeout = .milliseconds(500)
    expected.idleTimeout = .seconds(120)
    expected.pingInterval = .seconds(5)
    expected.pingTimeout = .seconds(1)
    expected.stopTimeout = .seconds(3)
    expected.channels = ["a.*", "b"]
    expected.allowedOrigins = ["https://a.example", "*"]
    expected.allowedHosts = ["a.example"]
    expected.isInsecure = true
    expected.servesPage = false
    expected.servesPush = false
    expected.logFormat = .json
    #expect(options == expected)
  }

  @Test("the URL may stand before options, between them, or behind --")
  func argumentPlaces() throws {
    #expect(try serve("--port", "1", "memory://a", "--insecure").url == "memory://a")
    #expect(try serve("--port=1", "--", "--odd").url == "--odd")
    #expect(try serve("--", "memory://b").url == "memory://b")
    #expect(try serve("--").url == "memory://")
    #expect(try refusal("serve", "memory://", "more").message.contains("unexpected argument 'more'"))
    #expect(try refusal("serve", "--", "memory://", "--port").message.contains("unexpected argument '--port'"))
  }

  @Test("the last value of an option counts, and one may be empty behind an equals sign")
  func repeats() throws {
    #expect(try serve("--port", "1", "--port", "2").port == 2)
    #expect(try serve("memory://x?a=b", "--channels=a=b").channels == ["a=b"])
    #expect(try refusal("serve", "--host=").message.contains("--host"))
  }

  @Test("the environment gives what the command line doesn't")
  func environment() throws {
    let environment = ["BROADCAST_URL": "memory://env", "BROADCAST_HOST": "localhost", "BROADCAST_PORT": "99"]
    let fromEnvironment = try serve(environment: environment)
    #expect(fromEnvironment.url == "memory://env")
    #expect(fromEnvironment.host == "localhost")
    #expect(fromEnvironment.port == 99)
    let both = try serve("memory://line", "--host", "127.0.0.2", "--port", "1", environment: environment)
    #expect(both.url == "memory://line")
    #expect(both.host == "127.0.0.2")
    #expect(both.port == 1)
  }

  @Test("a variable that is empty counts as not set, and one that is overruled is not looked at")
  func ignoredEnvironment() throws {
    #expect(try serve(environment: ["BROADCAST_PORT": "", "BROADCAST_URL": ""]) == ServeOptions())
    #expect(try serve("--port", "7", environment: ["BROADCAST_PORT": "junk"]).port == 7)
    let error = try refusal("serve", environment: ["BROADCAST_PORT": "junk"])
    #expect(error.message == "BROADCAST_PORT is 'junk'; it must be a whole number from 0 to 65535")
  }

  @Test(
    "an unknown option or command names the nearest one",
    arguments: [
      (["serve", "--prot", "1"], "'--port'"), (["serve", "--max-mesage=1"], "'--max-message'"),
      (["serve", "--insecrue"], "'--insecure'"),
      (["serve", "--alow-origin", "x"], "'--allow-origin'"), (["serve", "--hlep"], "'--help'"), (["serv"], "'serve'"),
      (["sevre"], "'serve'"), (["hepl"], "'help'"), (["--verion"], "'--version'"),
      (["serve", "--Port", "1"], "'--port'"),
    ])
  func suggestions(arguments: [String], nearest: String) throws {
    let error = try #require(throws: UsageError.self) { try Invocation.parse(arguments, environment: { _ in nil }) }
    #expect(error.message.contains("did you mean \(nearest)?"), "\(error.message)")
  }

  @Test(
    "what is near nothing gets no suggestion",
    arguments: [["serve", "--frobnicate"], ["frobnicate"], ["serve", "-p"], ["-x"]])
  func noSuggestions(arguments: [String]) throws {
    let error = try #require(throws: UsageError.self) { try Invocation.parse(arguments, environment: { _ in nil }) }
    #expect(error.message.contains("unknown"))
    #expect(!error.message.contains("did you mean"), "\(error.message)")
  }

  @Test(
    "a bad value is refused with what is allowed",
    arguments: [
      (["--port", "65536"], "--port is '65536'; it must be a whole number from 0 to 65535"),
      (["--port", "-1"], "from 0 to 65535"),
      (["--port", "80a"], "from 0 to 65535"), (["--port="], "from 0 to 65535"), (["--loops", "0"], "from 1 to 1024"),
      (["--max-message", "1.5M"], "a size from 1 to 1GiB"), (["--max-message", "2GiB"], "a size from 1 to 1GiB"),
      (["--ping-interval", "20"], "a time from 10ms to 1d"), (["--ping-interval", "0s"], "a time from 10ms to 1d"),
      (["--log-format", "xml"], "text or json"), (["--insecure=yes"], "takes no value"),
      (["--port"], "needs a value: --port PORT"),
      (["--host", "--port", "1"], "needs a value: --host ADDRESS"), (["--channels="], "--channels"),
      (["--allow-origin", "a.example"], "--allow-origin"),
      (["--allow-host", "http://a"], "--allow-host"),
    ])
  func badValues(arguments: [String], words: String) throws {
    let error = try #require(throws: UsageError.self) {
      try Invocation.parse(["serve"] + arguments, environment: { _ in nil })
    }
    #expect(error.message.contains(words), "\(error.message)")
    #expect(error.command == "serve")
  }

  @Test("options that contradict each other are refused")
  func contradictions() throws {
    #expect(try refusal("serve", "--max-message", "8MiB").message.contains("larger than --max-backlog 4MiB"))
    #expect(
      try refusal("serve", "--max-message", "4MiB", "--loops", "64").message
        .contains("each of 64 loops has 3MiB for its sockets, which is less than --max-backlog 4MiB"))
    // Nobody asked for so many loops that this would not fit.
    #expect(throws: Never.self) {
      try Invocation.parse(["serve", "--max-memory", "8MiB", "--max-backlog", "6MiB"], environment: { _ in nil })
    }
    #expect(try refusal("serve", "--max-backlog", "512MiB").message.contains("larger than --max-memory 256MiB"))
    #expect(try refusal("serve", "--max-memory", "1MiB").message.contains("--max-memory 1MiB"))
    #expect(try serve("--max-message", "16MiB", "--max-backlog", "64MiB").maxBacklog == 64 << 20)
  }

  @Test(
    "a host that isn't loopback needs --insecure",
    arguments: ["0.0.0.0", "::", "[::]", "192.168.1.5", "example.org", "2001:db8::1", "a b"])
  func openHosts(host: String) throws {
    #expect(try refusal("serve", "--host", host).message.contains("--insecure"))
    #expect(try refusal("serve", environment: ["BROADCAST_HOST": host]).message.contains("--insecure"))
    #expect(try serve("--host", host, "--insecure").host == host)
  }

  @Test("a loopback host doesn't", arguments: ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1", "[::1]"])
  func loopbackHosts(host: String) throws {
    #expect(try serve("--host", host).host == host)
  }

  @Test(
    "help goes before anything that is wrong",
    arguments: [
      ["--help"], ["-h"], ["help"], ["serve", "--help"], ["serve", "-h"], ["help", "serve"],
      ["serve", "memory://", "--port", "1", "--help", "--odd"],
    ])
  func asksForHelp(arguments: [String]) throws {
    guard case .print(let text) = try Invocation.parse(arguments, environment: { _ in nil }) else {
      Issue.record("no help")
      return
    }
    #expect(text.hasPrefix("Usage: broadcast "))
    #expect(text.hasSuffix("\n"))
  }

  @Test("help shows every option with default and variable, aligned and no wider than a screen")
  func helpIsComplete() {
    let help = ServeOptions.command.help
    for option in ServeOptions.command.options {
      #expect(help.contains("  \(option.name)"), "\(option.name)")
      if let standard = option.standard { #expect(help.contains("default: \(standard)")) }
    }
    for variable in ["BROADCAST_URL", "BROADCAST_HOST", "BROADCAST_PORT"] {
      #expect(help.contains("env: \(variable)]"))
    }
    let rows = help.split(separator: "\n").filter { $0.hasPrefix("  -") }
    #expect(
      Set(
        rows.map { row in
          row.count
            - (row.drop { $0 == " " }.firstRange(of: "  ").map { row[$0.lowerBound...] }?.drop { $0 == " " }.count ?? 0)
        }
      ).count == 1)
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= HelpRow.width })
  }

  @Test("help says how the command ends")
  func helpHasExitCodes() {
    let help = ServeOptions.command.help
    for code in ["0", "1", "64", "130, 143", "142"] { #expect(help.contains("\n  \(code) "), "\(code)") }
  }

  @Test("options have names that differ and begin with two dashes")
  func namesDiffer() {
    let names = ServeOptions.command.options.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.hasPrefix("--") && $0.count > 3 })
  }

  @Test("the version is printed")
  func version() throws {
    guard case .print(let text) = try parse("--version") else {
      Issue.record("no version")
      return
    }
    #expect(text == "broadcast \(Invocation.version)\n")
  }

  @Test("a missing command names those there are")
  func missingCommand() throws {
    #expect(
      try refusal().text
        == "broadcast: a command is missing: serve, publish, subscribe, history, presence, bench, postgres, help\ntry 'broadcast --help'\n"
    )
  }

  @Test("an error points to the help of its command")
  func errorText() throws {
    #expect(
      try refusal("serve", "--port").text
        == "broadcast: the option --port needs a value: --port PORT\ntry 'broadcast serve --help'\n")
    #expect(try refusal("help", "me").text.hasPrefix("broadcast: unknown command 'me'"))
  }

  @Test(
    "the distance of two words counts letters inserted, removed, exchanged and swapped",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("abc", "acb", 1),
      ("kitten", "sitting", 3), ("ab", "ba", 1),
    ])
  func distances(one: String, other: String, distance: Int) {
    #expect(editDistance(one, other) == distance)
    #expect(editDistance(other, one) == distance)
  }

  @Test("exit codes are those that people expect")
  func exitCodes() {
    #expect([ExitCode.success, .failure, .usage].map(\.rawValue) == [0, 1, 64])
  }
}
