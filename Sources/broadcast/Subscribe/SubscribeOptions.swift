//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What `broadcast subscribe` is told.
struct SubscribeOptions: Hashable, Sendable {
  var connection = ConnectionOptions()
  var channels: [String] = []
  /// After so many messages it ends; nil: never.
  var count: Int?
  var isJSON = false
  /// Begins with the newest that are kept.
  var last: Int?
  /// Begins behind a position.
  var after: MessagePosition?
  /// Payloads alone, with nothing behind them.
  var isBinary = false
  /// Bytes of messages that wait for whoever reads the output.
  var maxBacklog = 64 << 20
}

extension SubscribeOptions: TargetedOptions {
  static let command = Command<SubscribeOptions>(
    name: "subscribe",
    summary: "Print the messages of channels as they come.",
    overview: """
      Prints each message of the channels as it comes, a line each. On a terminal control characters
      are shown as JSON writes them, and binary messages described; elsewhere the bytes are as they came.
      Standard error says when the subscription stands, when the connection was lost, and where messages
      are missing. A lost connection is renewed for ever. It ends when nobody reads its output any more.
      """,
    standard: standard,
    arguments: [
      targetArgument,
      .init(placeholder: "CHANNEL", presence: .rest, help: "One channel, or several.") {
        options, text throws(ValueError) in
        options.channels.append(try ValueKind.text("CHANNEL").parse(text))
      },
    ],
    groups: [
      .init(
        title: "What it prints",
        options: [
          .value(
            "--last", .number(0...History.maximumMessages), \.last, standard: standard,
            "Begin with the last messages that each channel has kept, at most so many."),
          .value(
            "--after", .position, \.after, standard: standard,
            "Begin behind a position of the one channel, as --json prints it; 0-0 for all that is kept."),
          .value(
            "--count", .number(1...1_000_000_000), \.count, standard: standard, letter: "-n",
            "End after so many messages."),
          .flag(
            "--json", \.isJSON,
            "An object for each message: time (when it was printed, RFC 3339), channel, position where it has one, payload; a binary one has its payload"
              + " in base64 and \"encoding\":\"base64\"."),
          .flag("--binary", \.isBinary, "The bytes of each message as they are, without a newline behind them."),
          .value(
            "--max-backlog", .size(1...(1 << 40)), \.maxBacklog, standard: standard,
            "Bytes of messages that wait for whoever reads the output; the oldest go first, which is told."),
        ]),
      connectionGroup(
        standard: standard, retryHelp: "Try again also where the first connection fails and may succeed later."),
    ],
    exits: exits([
      .init(code: "0", help: "--count messages have come, or nobody reads the output any more."),
      .init(code: "23", help: "Standard output can't be written."),
      .init(code: "130, 143", help: "SIGINT (Ctrl-C) or SIGTERM ended it."),
    ]),
    misuse: .misuse,
    check: { options throws(UsageError) in
      if options.isJSON, options.isBinary {
        throw UsageError("--json and --binary contradict each other", command: "subscribe", exitCode: .misuse)
      }
      if options.last != nil, options.after != nil {
        throw UsageError("--last and --after contradict each other", command: "subscribe", exitCode: .misuse)
      }
      if options.after != nil, Set(options.channels).count > 1 {
        throw UsageError(
          "--after is a position of one channel; subscribe to each by itself", command: "subscribe", exitCode: .misuse)
      }
    })

  func run() async throws(UsageError) -> ExitCode { await Subscribe(self).run() }

  private static let standard = SubscribeOptions()

  /// - Parameter isTerminal: whether standard output is one.
  func format(isTerminal: Bool) throws(Failure) -> MessageFormat {
    try .chosen(isJSON: isJSON, isBinary: isBinary, isTerminal: isTerminal)
  }

  var start: SubscriptionStart {
    if let last { return .last(last) }
    return after.map { .after($0) } ?? .live
  }
}
