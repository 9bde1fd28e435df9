//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres
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
    #expect(options.subject == .migration)
  }

  @Test(
    "it prints nothing else, and says what there is",
    arguments: [
      [], ["schema"], ["migration", "more"], ["migration", "--channel", "a"], ["watch"], ["watch", "orders"],
      ["watch", "orders", "--channel", "a"], ["watch", "orders", "--print"], ["watch", "--channel", "a", "--print"],
      ["unwatch", "orders", "--channel", "a", "--print", "--column", "b"],
    ])
  func misuse(arguments: [String]) throws {
    let error = try #require(throws: UsageError.self) { _ = try parse(arguments) }
    #expect(error.exitCode == .misuse)
    #expect(error.text.contains("broadcast postgres --help"))
  }

  @Test("what is to be watched, and where")
  func watch() throws {
    let arguments = [
      "watch", "shop.orders", "postgres://localhost/shop", "-c", "orders", "--column", "a", "--column", "b", "--where",
      "a > 1", "--key", "a", "--timeout", "3s",
    ]
    guard case .run(let options as PostgresOptions) = try parse(arguments) else {
      Issue.record("not a run of the command")
      return
    }
    #expect(options.subject == .watch && options.url == "postgres://localhost/shop" && options.timeout == .seconds(3))
    let expected = try RowWatch(
      table: "shop.orders", channel: "orders", columns: ["a", "b"], condition: "a > 1", key: ["a"])
    #expect(try options.watch() == expected)
  }

  @Test("the database is that of BROADCAST_URL unless another is given")
  func environment() throws {
    let parsed = try Invocation.parse(["postgres", "unwatch", "orders", "-c", "a"]) { name in
      name == "BROADCAST_URL" ? "postgres://localhost/shop" : nil
    }
    guard case .run(let options as PostgresOptions) = parsed else {
      Issue.record("not a run of the command")
      return
    }
    #expect(options.subject == .unwatch && options.url == "postgres://localhost/shop")
  }
}
