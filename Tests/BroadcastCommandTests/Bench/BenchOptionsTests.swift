//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The command line of bench")
struct BenchOptionsTests {
  private func bench(_ arguments: String...) throws -> BenchOptions {
    guard
      case .run(let options as BenchOptions) = try Invocation.parse(["bench"] + arguments, environment: { _ in nil })
    else { throw UsageError("not a bench") }
    return options
  }

  private func refusal(_ arguments: String...) throws -> UsageError {
    try #require(throws: UsageError.self) { try Invocation.parse(["bench"] + arguments, environment: { _ in nil }) }
  }

  @Test("only the target must be given")
  func defaults() throws {
    var expected = BenchOptions()
    expected.target = "http://localhost:8080"
    #expect(try bench("http://localhost:8080") == expected)
    #expect(expected.connectionCount == 16)
    #expect(
      try refusal().text == "broadcast: TARGET is missing: broadcast bench TARGET\ntry 'broadcast bench --help'\n")
  }

  @Test("every option reaches its place")
  func all() throws {
    let options = try bench(
      "-s", "5", "-m", "6", "--size", "1KiB", "-f", "7", "-r", "8", "--channels", "9", "--warm-up", "10",
      "--connections",
      "11", "--channel", "c", "--header", "A: b", "--header=C: d", "--ca-file", "f", "--pid", "12", "--settle", "0s",
      "--timeout", "2s",
      "--json",
      "http://h")
    var expected = BenchOptions()
    expected.target = "http://h"
    expected.subscribers = 5
    expected.messages = 6
    expected.size = 1_024
    expected.inFlight = 7
    expected.rate = 8
    expected.channels = 9
    expected.warmUp = 10
    expected.connections = 11
    expected.channel = "c"
    expected.headers = [HeaderField(name: "A", value: "b"), HeaderField(name: "C", value: "d")]
    expected.authorityFile = "f"
    expected.process = 12
    expected.settle = .zero
    expected.timeout = .seconds(2)
    expected.printsJSON = true
    #expect(options == expected)
    #expect(options.connectionCount == 11)
    #expect(try bench("http://h", "--in-flight", "3").connectionCount == 3)
  }

  @Test("values beyond their limits are refused with the limit, and end with 2")
  func limits() throws {
    for (arguments, part) in [
      (["--size", "31"], "32"), (["--in-flight", "0"], "from 1 to 1024"), (["--channel="], "not empty"),
      (["-m", "1000000000"], "999999999"), (["-m", "999999999", "--warm-up", "1"], "999999999"),
      (["-s", "1000000", "--connections", "1024"], "product"), (["--header", "none"], "colon"),
    ] {
      let error = try #require(throws: UsageError.self) {
        try Invocation.parse(["bench", "http://h"] + arguments, environment: { _ in nil })
      }
      #expect(error.message.contains(part), "\(error.message)")
      #expect(error.exitCode == .misuse)
    }
  }

  @Test("help shows every option with its default, no wider than a screen, and the exit codes")
  func help() {
    let help = BenchOptions.command.help
    for option in BenchOptions.command.options { #expect(help.contains(option.name), "\(option.name)") }
    for code in ["0", "1", "2", "3", "6", "7", "8", "22", "28", "35, 60, 77", "47", "56", "130"] {
      #expect(help.contains("\n  \(code) "), "\(code)")
    }
    #expect(help.contains("[default: 10000]"))
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= HelpRow.width })
  }
}
