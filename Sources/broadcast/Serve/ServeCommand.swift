//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer

extension ServeOptions: CommandOptions {
  /// The options of `broadcast serve`, as they are read and as help shows them.
  static let command = Command<ServeOptions>(
    name: "serve",
    summary: "Serve POST /push, the WebSocket /events and a page to try them.",
    overview: """
      Serves POST /push, the WebSocket /events, a page to try them (/), /health and GET /history.
      All servers on one broker are one: what is pushed into any of them arrives at the sockets of all.
      Sizes are bytes or have a unit (64KiB, 16MiB), times have one (500ms, 20s, 2m).

        broadcast serve redis://localhost
        broadcast serve redis://localhost --history 'chat.*=100'
        broadcast serve postgres://user@localhost/app --port 9000
        BROADCAST_URL=rediss://user:password@redis.example broadcast serve

      A password in the URL is better given by BROADCAST_URL: the command line is for all to see.
      While the broker is away, requests get 503 with Retry-After. When it is back, sockets that may
      have missed messages are closed with 4000 over 5 seconds; on Kafka they go on where none was lost.
      The log has at most a line a second about one trouble.
      """,
    standard: standard,
    arguments: [
      .init(
        placeholder: "URL", presence: .optional,
        help: "The backend that carries the messages: \(Backends.brokerURLs), or memory:// within this process.",
        standard: standard.url,
        environment: "BROADCAST_URL"
      ) { options, text throws(ValueError) in
        options.url = try ValueKind.text("URL").parse(text)
      }
    ],
    groups: [
      .init(
        title: "Where it listens",
        options: [
          .value(
            "--host", .text("ADDRESS"), \.host, standard: standard, environment: "BROADCAST_HOST",
            "The address or name to listen on."),
          .value(
            "--port", .number(0...65_535, placeholder: "PORT"), \.port, standard: standard,
            environment: "BROADCAST_PORT", "The port to listen on; 0 for any that is free."),
          .value(
            "--loops", .number(1...1_024), \.loops, standard: standard,
            "Event loops, a thread each. One on every two cores unless given."),
        ]),
      .init(
        title: "Who may use it",
        options: [
          .list(
            "--channels", "PATTERN", \.channels,
            "Channels that clients may name, such as 'chat.*'. May be repeated. All unless given."),
          .list(
            "--allow-origin", "ORIGIN", \.allowedOrigins,
            "A page of another origin that may use the server, such as https://app.example; '*' for any. May be repeated."
          ),
          .list(
            "--allow-host", "HOST", \.allowedHosts,
            "A name by which browsers may know the server, beside localhost and addresses. May be repeated."),
          .flag(
            "--insecure", \.isInsecure,
            "Serve other machines too. There are no passwords: whoever reaches the port may publish and listen."),
          .flag("--no-page", \.servesPage, is: false, "Don't serve the page."),
          .flag("--no-push", \.servesPush, is: false, "Don't serve POST /push."),
        ]),
      .init(
        title: "Messages",
        options: [
          .value(
            "--max-message", .size(1...(1 << 30)), \.maxMessage, standard: standard,
            "Bytes of a message, 1000000 for kafka:// unless given."),
          .value(
            "--max-backlog", .size(1...(1 << 40)), \.maxBacklog, standard: standard,
            "Bytes that a subscriber may be behind on a channel."),
          .value(
            "--max-backlog-messages", .number(1...1_000_000), \.maxBacklogMessages, standard: standard,
            "Messages that a subscriber may be behind on a channel."),
          .value(
            "--max-memory", .size(1...(1 << 40)), \.maxMemory, standard: standard,
            "Bytes of all backlogs together; the oldest messages go first."),
          Option(
            name: "--history", placeholder: "RULE",
            help:
              "Channels that keep their last messages, for who comes later or comes back: 'PATTERN=MESSAGES[,BYTES[,AGE]]'"
              + " such as 'chat.*=100' or 'chat.*=100,1MiB,1d', which is what holds unless given; 'PATTERN=none' for"
              + " exceptions. May be repeated, or have several divided by semicolons; the first that takes a channel counts."
              + " Only memory and Redis keep them. All servers on one broker need the same.",
            standard: nil, environment: "BROADCAST_HISTORY"
          ) { options, text throws(ValueError) in
            options.history += try HistoryText.rules(text)
          },
        ]),
      .init(
        title: "Connections and requests",
        options: [
          .value(
            "--max-connections", .number(1...1_000_000), \.maxConnections, standard: standard, "Connections at a time."),
          .value("--max-channels", .number(1...10_000), \.maxChannels, standard: standard, "Channels of one socket."),
          .value(
            "--max-target", .size(64...(1 << 20)), \.maxTarget, standard: standard, "Bytes of a request's target."),
          .value(
            "--max-headers", .size(256...(1 << 20)), \.maxHeaders, standard: standard, "Bytes of a request's header."),
          .value(
            "--max-header-fields", .number(8...10_000), \.maxHeaderFields, standard: standard,
            "Fields of a request's header."),
          .value(
            "--request-timeout", .duration(times), \.requestTimeout, standard: standard,
            "Time for a request to arrive, from its first byte to its last."),
          .value(
            "--idle-timeout", .duration(times), \.idleTimeout, standard: standard,
            "Time that a connection may wait for its next request."),
          .value(
            "--ping-interval", .duration(times), \.pingInterval, standard: standard,
            "Quiet after which a socket is sent a ping."),
          .value("--ping-timeout", .duration(times), \.pingTimeout, standard: standard, "Time for its answer."),
          .value(
            "--stop-timeout", .duration(times), \.stopTimeout, standard: standard,
            "Time to come to an end after SIGTERM or SIGINT."),
        ]),
      .init(
        title: "What it tells",
        options: [
          .value(
            "--log-format", .choice(), \.logFormat, standard: standard, "How lines are written on standard error."),
          .value(
            "--log-counters", .duration(times), \.countersInterval, standard: standard,
            "Time between two lines of counters, which are written when something has changed, and at the end."),
        ]),
    ],
    exits: [
      .init(code: "0", help: "SIGTERM or SIGINT stopped it."),
      .init(
        code: "1",
        help: "Serving failed: the port is in use, or the broker refused, or was not reached within 10 seconds."),
      .init(code: "64", help: "The command line or the environment is wrong, the URL too."),
      .init(code: "130, 143", help: "A second SIGINT or SIGTERM ended it while it stopped."),
      .init(code: "142", help: "Stopping took longer than --stop-timeout: it was ended by SIGALRM."),
    ],
    check: { options throws(UsageError) in try options.check() })

  func run() async throws(UsageError) -> ExitCode { try await Serve(self).run() }

  private static let standard = ServeOptions()
  private static let times = Duration.milliseconds(10)...Duration.seconds(86_400)

  /// Refuses options that contradict each other.
  private func check() throws(UsageError) {
    func refuse(_ message: String) -> UsageError { UsageError(message, command: Self.command.name) }

    guard maxMessage <= maxBacklog else {
      throw refuse(
        "--max-message \(ByteSize.format(maxMessage)) is larger than --max-backlog \(ByteSize.format(maxBacklog));"
          + " the backlog must have room for one message")
    }
    guard maxBacklog <= maxMemory else {
      throw refuse(
        "--max-backlog \(ByteSize.format(maxBacklog)) is larger than --max-memory \(ByteSize.format(maxMemory));"
          + " the memory must have room for one backlog")
    }
    do throws(BroadcastError) { try HistoryPolicies(history).validate() } catch {
      throw refuse("--history: \(error.message)")
    }
    guard loopMemory >= maxBacklog else {
      throw refuse(
        "of --max-memory \(ByteSize.format(maxMemory)) each of \(loopCount) loops has \(ByteSize.format(loopMemory)) for its"
          + " sockets, which is less than --max-backlog \(ByteSize.format(maxBacklog))")
    }
    // An IPv6 address has no brackets here. A name that isn't localhost may turn out to be any address.
    let name = HostName(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host)
    guard isInsecure || name?.isLoopback == true else {
      throw refuse(
        "--host \(host) is open to other machines, and there are no passwords: whoever reaches the port may publish and"
          + " listen. Add --insecure if that is meant")
    }
    do throws(OriginPolicyError) {
      _ = try OriginPolicy(origins: allowedOrigins, hosts: allowedHosts, allowsOtherMachines: isInsecure)
    } catch {
      throw refuse("\(error.code == .invalidOrigin ? "--allow-origin" : "--allow-host"): \(error.message)")
    }
    do throws(ChannelPatternsError) {
      _ = try ChannelPatterns(channels)
    } catch {
      throw refuse("--channels: \(error.message)")
    }
  }
}
