//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What `broadcast presence` is told.
struct PresenceOptions: Hashable, Sendable {
  var connection = ConnectionOptions()
  var channel = ""
  /// Who is present while it runs.
  var names: [String] = []
  var info = ""
  /// Whether it goes on with who joins and leaves.
  var watches = false
  var isJSON = false
}

extension PresenceOptions: TargetedOptions {
  static let command = Command<PresenceOptions>(
    name: "presence",
    summary: "Print who is present on a channel, or be so.",
    overview: """
      Prints who is present on a channel and ends: a line for each member, with its name, a tab and its info.
      With --watch it goes on: 'present', 'joined', 'left' or 'changed' and a tab stand before each name.
      All who are present come first, and again where something may have been missed.
      With --as members are present until it ends, or dies: then they leave within 30 seconds. The target
      is a broker that knows who is present, which is Redis.
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
        title: "Who is present",
        options: [
          .list("--as", "NAME", \.names, "Be present by this name until it ends. May be repeated."),
          .value(
            "--info", .optionalText("TEXT"), \.infoText, standard: standard,
            "What others learn of these members."),
          .flag("--watch", \.watches, letter: "-w", "Go on with who joins, leaves and changes."),
          .flag(
            "--json", \.isJSON,
            "An object for each member: name and info, in base64 with \"encoding\":\"base64\" where it is no text; with --watch"
              + " also event."),
        ]),
      connectionGroup(
        standard: standard, retryHelp: "Try again also where the first connection fails and may succeed later."),
    ],
    exits: exits([
      .init(code: "0", help: "All is printed, or nobody reads the output any more."),
      .init(code: "23", help: "Standard output can't be written."),
      .init(code: "130, 143", help: "SIGINT (Ctrl-C) or SIGTERM ended it."),
    ]),
    misuse: .misuse,
    check: { options throws(UsageError) in
      if !options.info.isEmpty, options.names.isEmpty {
        throw UsageError(
          "--info is for --as: nobody is present by this command", command: "presence", exitCode: .misuse)
      }
    })

  func run() async throws(UsageError) -> ExitCode { await ShowPresence(self).run() }

  private static let standard = PresenceOptions()

  private var infoText: String? {
    get { info.isEmpty ? nil : info }
    set { info = newValue ?? "" }
  }
}
