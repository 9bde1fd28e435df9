//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The command line of broadcast postgres")
struct PostgresOptionsTests {
  private func parse(_ arguments: [String]) throws -> Invocation {
    try Invocation.parse(["postgres"] + arguments, environment: { _ in nil })
  }

  @Test("it prints the migration")
  func migration() throws {
    guard case .run(let options as PostgresOptions) = try parse(["migration"]) else {
      Issue.record("not a run of the command")
      return
    }
    #expect(options.subject == "migration")
  }

  @Test("it prints nothing else, and says what there is", arguments: [[], ["schema"], ["migration", "more"]])
  func misuse(arguments: [String]) throws {
    let error = try #require(throws: UsageError.self) { _ = try parse(arguments) }
    #expect(error.exitCode == .misuse)
    #expect(error.text.contains("broadcast postgres --help"))
  }
}
