//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres

/// What `broadcast postgres` is told: what to print.
struct PostgresOptions: Hashable, Sendable {
  fileprivate static let migration = "migration"

  var subject = ""
}

extension PostgresOptions: CommandOptions {
  static let command = Command<PostgresOptions>(
    name: "postgres",
    summary: "Print what a PostgreSQL database may be given: SQL that installs broadcast.publish().",
    overview: """
      'broadcast postgres migration' prints SQL that installs broadcast.publish(channel, message), which
      publishes inside the caller's own transaction, from a trigger or any program:

        broadcast postgres migration | psql -v ON_ERROR_STOP=1 DATABASE

      Without ON_ERROR_STOP psql succeeds whatever the database says. The server needs nothing of it.
      It is one statement, can be run again, and says itself how it is removed.
      """,
    standard: PostgresOptions(),
    arguments: [
      .init(placeholder: "SUBJECT", presence: .required, help: "What to print: 'migration'.") {
        options, text throws(ValueError) in
        guard text == migration else { throw ValueError(allowed: "'\(migration)'") }
        options.subject = text
      }
    ],
    groups: [],
    exits: [
      .init(code: "0", help: "It is printed."),
      .init(code: "2", help: "The command line is wrong."),
      .init(code: "23", help: "Standard output can't be written."),
    ],
    misuse: .misuse,
    check: { _ in })

  func run() async throws(UsageError) -> ExitCode {
    StandardStream.print(PostgresBroadcast.migration, to: StandardStream.output) ? .success : .outputFailed
  }
}
