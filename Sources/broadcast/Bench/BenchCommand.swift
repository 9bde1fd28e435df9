//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension BenchOptions: CommandOptions {
  /// The options of `broadcast bench`, as they are read and as help shows them.
  static let command = Command<BenchOptions>(
    name: "bench",
    summary: "Load a running server, check each delivery and measure.",
    overview: """
      Opens subscribers, publishes messages to them, checks that each gets every message once and in
      order, and says how many deliveries a second there were and how long they took.
      Sizes are bytes or have a unit (64KiB, 16MiB), times have one (500ms, 20s, 2m).

      The latency of a delivery is the time from just before its publishing to its receipt. One thread
      does it all: where the result says that it was always busy, the server can do more than that.
      """,
    standard: standard,
    arguments: [
      .init(
        placeholder: "TARGET", presence: .required,
        help: "A running server: http://HOST[:PORT][/PATH], or https. Without a scheme it is http."
      ) { options, text throws(ValueError) in
        options.target = try ValueKind.text("TARGET").parse(text)
      }
    ],
    groups: [
      .init(
        title: "The load",
        options: [
          .value(
            "--subscribers", .number(0...1_000_000), \.subscribers, standard: standard, letter: "-s",
            "WebSockets that subscribe."),
          .value(
            "--messages", .number(0...Marker.maximumNumber), \.messages, standard: standard, letter: "-m",
            "Messages that are measured."),
          .value("--size", .size(32...(1 << 20)), \.size, standard: standard, "Bytes of a message."),
          .value(
            "--in-flight", .number(1...1_024), \.inFlight, standard: standard, letter: "-f",
            "Messages under way at a time: not yet both answered and delivered to all their subscribers."),
          .value(
            "--rate", .number(1...10_000_000), \.rate, standard: standard, letter: "-r",
            "Messages a second, however many are under way. Latency counts from when a message was due. Keeps a core busy."
          ),
          .value(
            "--channels", .number(1...10_000), \.channels, standard: standard,
            "Channels, over which messages and subscribers are spread evenly."),
          .value(
            "--warm-up", .number(0...1_000_000), \.warmUp, standard: standard,
            "Messages beforehand, which are checked and not measured."),
          .value(
            "--connections", .number(1...1_024), \.connections, standard: standard,
            "Connections to publish by, with a request at a time each. As many as --in-flight unless given."),
        ]),
      .init(
        title: "The server",
        options: [
          .value(
            "--channel", .optionalText("NAME"), \.channel, standard: standard,
            "The channel, or what the names of several begin with. A name of its own for each run unless given."),
          .list(
            "--header", .header, \.headers,
            "A header field of each request, such as 'Authorization: Bearer x'. May be repeated."),
          .value(
            "--ca-file", .optionalText("FILE"), \.authorityFile, standard: standard,
            "Authorities to trust for https, in PEM, in place of the system's."),
          .value(
            "--pid", .number(1...4_194_304), \.process, standard: standard,
            "The process of the server on this machine (Linux): its CPU time and memory are measured too."),
        ]),
      .init(
        title: "Times",
        options: [
          .value(
            "--settle", .duration(Duration.zero...Duration.seconds(3_600)), \.settle, standard: standard,
            "Quiet between connecting and publishing."),
          .value(
            "--timeout", .duration(Duration.milliseconds(10)...Duration.seconds(3_600)), \.timeout,
            standard: standard,
            "How long nothing may come while something is awaited."),
        ]),
      .init(
        title: "Output",
        options: [.flag("--json", \.printsJSON, "Print the result as one line of JSON.")]),
    ],
    exits: [
      .init(code: "0", help: "Each delivery was right."),
      .init(
        code: "1",
        help:
          "A delivery was lost, doubled, out of order or damaged, or a subscriber was cut; or the target's scheme is unknown."
      ),
      .init(code: "2", help: "The command line is wrong."),
      .init(code: "3", help: "The target is no URL."),
      .init(code: "6", help: "The host's name is unknown."),
      .init(code: "7", help: "The server can't be reached: nobody listens there, or there is no way."),
      .init(code: "8", help: "What answers is no broadcast server."),
      .init(code: "22", help: "The server refused a subscriber or a message."),
      .init(code: "23", help: "Standard output can't be written."),
      .init(code: "28", help: "Nothing came any more while an answer was awaited."),
      .init(code: "35, 60, 77", help: "No secure connection, no trust in the certificate, no use of --ca-file."),
      .init(code: "47", help: "The server sends elsewhere; redirections are not followed."),
      .init(code: "56", help: "A connection broke, or was ended without an answer."),
      .init(code: "130", help: "Ctrl-C ended it. What was measured until then is printed."),
    ],
    misuse: .misuse,
    check: { options throws(UsageError) in try options.check() })

  private static let standard = BenchOptions()

  func run() async throws(UsageError) -> ExitCode { await Bench(self).run() }

  /// The checker keeps four bytes for each pair of subscriber and connection: 256 MiB at most.
  private static let maximumPairs = 1 << 26

  /// Refuses options that contradict each other.
  private func check() throws(UsageError) {
    func refuse(_ message: String) -> UsageError {
      UsageError(message, command: Self.command.name, exitCode: .misuse)
    }
    guard messages + warmUp <= Marker.maximumNumber else {
      throw refuse("--messages and --warm-up together are more than \(Marker.maximumNumber)")
    }
    guard subscribers * connectionCount <= Self.maximumPairs else {
      throw refuse(
        "\(subscribers) subscribers and \(connectionCount) connections: their product may be at most"
          + " \(Self.maximumPairs); give fewer --connections")
    }
  }
}
