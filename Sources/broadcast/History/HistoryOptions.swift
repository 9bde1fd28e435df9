//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What `broadcast history` is told.
struct HistoryOptions: Hashable, Sendable {
  var connection = ConnectionOptions()
  var channel = ""
  /// At most so many messages; nil: the last 100, or all behind ``after``.
  var count: Int?
  var after: MessagePosition?
  var isJSON = false
  /// Payloads alone, with nothing behind them.
  var isBinary = false
}

extension HistoryOptions: TargetedOptions {
  static let command = Command<HistoryOptions>(
    name: "history",
    summary: "Print what a channel has kept, and end.",
    overview: """
      Prints the last messages that CHANNEL has kept, the oldest of them first, a line each, and ends.
      A server keeps those of the channels that its --history names; Redis keeps what was published by
      programs with a history. Standard error says where some of what was asked for are no longer there.
      """,
    standard: standard,
    arguments: [
      targetArgument,
      .init(placeholder: "CHANNEL", presence: .required, help: "The channel.") { options, text throws(ValueError) in
        options.channel = try ValueKind.text("CHANNEL").parse(text)
      },
    ],
    groups: [
      .init(
        title: "What it prints",
        options: [
          .value(
            "--count", .number(1...1_000_000_000), \.count, standard: standard, letter: "-n",
            "At most so many messages. The last 100 unless given; all behind --after."),
          .value(
            "--after", .position, \.after, standard: standard,
            "Only what was published behind a position, as --json prints it; 0-0 for all that is kept."),
          .flag(
            "--json", \.isJSON,
            "An object for each message: position, channel, payload; a binary one has its payload in base64 and"
              + " \"encoding\":\"base64\"."),
          .flag("--binary", \.isBinary, "The bytes of each message as they are, without a newline behind them."),
        ]),
      connectionGroup(standard: standard, retryHelp: "Try again what failed and may succeed later, until it does."),
    ],
    exits: exits([
      .init(code: "0", help: "All that is kept was printed, or nobody reads the output any more."),
      .init(code: "23", help: "Standard output can't be written."),
      .init(code: "130, 143", help: "SIGINT (Ctrl-C) or SIGTERM ended it."),
    ]),
    misuse: .misuse,
    check: { options throws(UsageError) in
      if options.isJSON, options.isBinary {
        throw UsageError("--json and --binary contradict each other", command: "history", exitCode: .misuse)
      }
    })

  func run() async throws(UsageError) -> ExitCode { await PrintHistory(self).run() }

  private static let standard = HistoryOptions()
}
