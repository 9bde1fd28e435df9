//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingPostgres

/// What `broadcast postgres` is told.
struct PostgresOptions: Hashable, Sendable {
  enum Subject: String, CaseIterable, Sendable {
    case migration, watch, unwatch
  }

  var subject = Subject.migration
  var table: String?
  /// As it was given: a URL, or a variable that has it.
  var url: String?
  var channel: String?
  var columns: [String] = []
  var condition: String?
  var key: [String] = []
  /// SQL is printed, and no database asked.
  var isPrinting = false
  /// For connecting, and for the statement.
  var timeout = Duration.seconds(10)

  /// What is to be watched, or not any longer.
  ///
  /// - Throws: what the library says of it.
  func watch() throws(BroadcastError) -> RowWatch {
    try RowWatch(
      table: table ?? "", channel: Channel(channel ?? ""), columns: columns.isEmpty ? nil : columns,
      condition: condition,
      key: key.isEmpty ? nil : key)
  }
}

extension PostgresOptions: CommandOptions {
  static let command = Command<PostgresOptions>(
    name: "postgres",
    summary: "Let a PostgreSQL database publish: SQL functions, and the changes of tables.",
    overview: """
      'broadcast postgres watch orders --channel orders' has the database tell each change of the rows of a
      table on a channel, until 'broadcast postgres unwatch orders --channel orders'. It makes a trigger, and
      before that the functions it needs, where they are missing. Again with the same channel it replaces
      what is there. Only the table's owner may. With --print it prints the SQL for a migration instead.

      'broadcast postgres migration' prints SQL that installs these functions, and broadcast.publish(channel,
      message), which publishes inside the caller's own transaction, from a trigger or any program:

        broadcast postgres migration | psql -v ON_ERROR_STOP=1 DATABASE

      Without ON_ERROR_STOP psql succeeds whatever the database says. The server needs nothing of it.
      It is one statement, can be run again, and says itself how it is removed.
      """,
    standard: PostgresOptions(),
    arguments: [
      .init(placeholder: "SUBJECT", presence: .required, help: "What to do: 'migration', 'watch' or 'unwatch'.") {
        options, text throws(ValueError) in
        options.subject = try ValueKind<Subject>.choice().parse(text)
      },
      .init(
        placeholder: "TABLE", presence: .optional,
        help: "The table to watch, as SQL has it: orders, shop.orders, '\"Order lines\"'."
      ) { options, text throws(ValueError) in
        options.table = try ValueKind.text("TABLE").parse(text)
      },
      .init(
        placeholder: "URL", presence: .optional,
        help:
          "The database: postgres://[USER:PASSWORD@]HOST[:PORT]/DATABASE. env:NAME takes it from that variable: for a URL"
          + " with a password, since the command line is for all to see.",
        environment: "BROADCAST_URL"
      ) { options, text throws(ValueError) in
        options.url = try ValueKind.text("URL").parse(text)
      },
    ],
    groups: [
      .init(
        title: "What is told",
        options: [
          .value(
            "--channel", .optionalText("CHANNEL"), \.channel, standard: PostgresOptions(), letter: "-c",
            "The channel on which the changes are told."),
          .list(
            "--column", .text("COLUMN"), \.columns,
            "Send this column, and tell no update that leaves it as it was. May be repeated. All unless given."),
          .value(
            "--where", .optionalText("CONDITION"), \.condition, standard: PostgresOptions(),
            "Tell only changes of rows that meet this SQL before or after, such as \"status = 'paid'\"."),
          .list(
            "--key", .text("COLUMN"), \.key,
            "Tell each change on a channel for the value of this column, such as 'orders:17'. May be repeated."),
        ]),
      .init(
        title: "How it is done",
        options: [
          .flag("--print", \.isPrinting, "Print the SQL, and ask no database."),
          .value(
            "--timeout", .duration(.milliseconds(10)...Duration.seconds(86_400)), \.timeout,
            standard: PostgresOptions(),
            "Time to connect, and for the statement, which waits for transactions that use the table."),
        ]),
    ],
    exits: [
      .init(code: "0", help: "It is printed, or done."),
      .init(code: "1", help: "The URL is not PostgreSQL's."),
      .init(code: "2", help: "The command line is wrong."),
      .init(code: "3", help: "The URL is none."),
      .init(code: "7", help: "The database can't be reached."),
      .init(code: "22", help: "The database refused: there is no such table or column, or no right to it."),
      .init(code: "23", help: "Standard output can't be written."),
      .init(code: "28", help: "The database did not answer within --timeout."),
    ],
    misuse: .misuse,
    check: { options throws(UsageError) in try options.check() })

  private func check() throws(UsageError) {
    if subject == .migration {
      guard table == nil, channel == nil, columns.isEmpty, condition == nil, key.isEmpty else {
        throw misuse("'migration' takes no table, and none of its options")
      }
      return
    }
    if table == nil { throw misuse("TABLE is missing: broadcast postgres \(subject.rawValue) TABLE") }
    if channel == nil { throw misuse("the option --channel is missing") }
    if url == nil, !isPrinting {
      throw misuse("URL is missing: give it behind the table, or by BROADCAST_URL; or give --print for the SQL alone")
    }
    if subject == .unwatch, !columns.isEmpty || condition != nil || !key.isEmpty {
      throw misuse("'unwatch' takes --channel alone, whatever the table was watched with")
    }
  }

  private func misuse(_ message: String) -> UsageError {
    UsageError(message, command: Self.command.name, exitCode: .misuse)
  }

  func run() async throws(UsageError) -> ExitCode {
    if subject == .migration { return Self.print(PostgresBroadcast.migration) }
    do {
      let watch = try watch()
      if isPrinting { return Self.print((subject == .watch ? watch.sql : watch.removalSQL) + "\n") }
      let url = try Target(url ?? "").url
      if subject == .watch {
        try await watch.install(in: url, timeout: timeout)
      } else {
        try await watch.remove(from: url, timeout: timeout)
      }
      return .success
    } catch {
      return Failure(error).tell()
    }
  }

  private static func print(_ text: String) -> ExitCode {
    StandardStream.print(text, to: StandardStream.output) ? .success : .outputFailed
  }
}
