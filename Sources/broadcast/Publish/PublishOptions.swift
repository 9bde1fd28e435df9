//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What `broadcast publish` is told.
struct PublishOptions: Hashable, Sendable {
  var connection = ConnectionOptions()
  var channel = ""
  /// Nil: standard input has the messages.
  var message: String?
  /// How much of the channel is kept, where a broker is the target; nil: what is published is not.
  var history: HistoryPolicy?
  /// One binary message; lines of text otherwise.
  var isBinary = false
  /// Bytes of a message.
  var maxMessage: Int {
    get { givenMaxMessage ?? Backends.usualMaxMessage(for: connection.target) }
    set { givenMaxMessage = newValue }
  }
  /// Nil: what is usual for the target.
  var givenMaxMessage: Int?
}

extension PublishOptions: TargetedOptions {
  static let command = Command<PublishOptions>(
    name: "publish",
    summary: "Publish a message, or the lines of standard input.",
    overview: """
      Publishes MESSAGE to CHANNEL. Without it each line of standard input is a message, without its
      newline (a carriage return before it stays), sent when the server has confirmed the line before.
      When one fails, standard error says which lines were sent. Nothing is sent twice without --retry.
      """,
    standard: standard,
    arguments: [
      targetArgument,
      .init(placeholder: "CHANNEL", presence: .required, help: "The channel.") { options, text throws(ValueError) in
        options.channel = try ValueKind.text("CHANNEL").parse(text)
      },
      .init(placeholder: "MESSAGE", presence: .optional, help: "The message. Standard input unless given.") {
        options, text in options.message = text
      },
    ],
    groups: [
      .init(
        title: "The message",
        options: [
          .flag(
            "--binary", \.isBinary, "Send one binary message: all of standard input as it is, or the bytes of MESSAGE."),
          .value(
            "--history", .historyPolicy, \.history, standard: standard,
            "Keep the message in the channel's history on Redis: MESSAGES[,BYTES[,AGE]], such as 100 or 100,1MiB,1d, the same as all other publishers"
              + " of the channel. For a broker: what a server keeps its own --history says."),
          .value(
            "--max-message", .size(1...(1 << 30)), \.maxMessage, standard: standard,
            "Bytes of a message, 1000000 for kafka:// unless given. The server has a limit of its own."),
        ]),
      connectionGroup(
        standard: standard,
        retryHelp: "Try again what failed and may succeed later, until it does. A message may arrive twice then."),
    ],
    exits: exits([
      .init(code: "0", help: "The server has confirmed every message."),
      .init(code: "26", help: "Standard input can't be read, or a line of it is not UTF-8."),
      .init(code: "130, 143", help: "SIGINT (Ctrl-C) or SIGTERM ended it."),
    ]),
    misuse: .misuse,
    check: { _ in })

  func run() async throws(UsageError) -> ExitCode { await Publish(self).run() }

  private static let standard = PublishOptions()
}
