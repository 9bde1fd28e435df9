//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How a command reaches its target.
struct ConnectionOptions: Hashable, Sendable {
  /// As it was given: a URL, or what is taken for the rest of one.
  var target = ""
  /// A file of certificates to trust, in place of the system's.
  var authorityFile: String?
  var headers: [HeaderField] = []
  /// For connecting, and for each answer.
  var timeout = Duration.seconds(10)
  /// Whether what fails is tried again until it works.
  var retries = false
}

/// The options of a command that has a target.
protocol TargetedOptions: CommandOptions {
  var connection: ConnectionOptions { get set }
}

extension TargetedOptions {
  static var targetArgument: Command<Self>.Argument {
    .init(
      placeholder: "TARGET", presence: .required,
      help: "A running server: http://HOST[:PORT][/PATH], or https; without a scheme it is http. Or a broker:"
        + " \(Backends.brokerURLs). env:NAME takes it from that variable: for a URL with a password, since the command"
        + " line is for all to see."
    ) { options, text throws(ValueError) in
      options.connection.target = try ValueKind.text("TARGET").parse(text)
    }
  }

  static func connectionGroup(standard: Self, retryHelp: String) -> Command<Self>.Group {
    .init(
      title: "How it reaches the target",
      options: [
        .value(
          "--timeout", .duration(.milliseconds(10)...Duration.seconds(86_400)), \.connection.timeout,
          standard: standard,
          "Time to connect, and for each answer."),
        .flag("--retry", \.connection.retries, retryHelp),
        .list(
          "--header", .header, \.connection.headers,
          "A header field of each request to a server, such as 'Authorization: Bearer x'. May be repeated."),
        .value(
          "--ca-file", .optionalText("FILE"), \.connection.authorityFile, standard: standard,
          "Authorities to trust for https and rediss, in PEM, in place of the system's."),
      ])
  }

  /// How the command ends: as curl does, and as `others` say, in the order of the codes.
  static func exits(_ others: [Command<Self>.Exit]) -> [Command<Self>.Exit] {
    (connectionExits + others).sorted {
      (Int($0.code.prefix { $0 != "," }) ?? 0) < (Int($1.code.prefix { $0 != "," }) ?? 0)
    }
  }

  private static var connectionExits: [Command<Self>.Exit] {
    [
      .init(code: "1", help: "The target's scheme is unknown."),
      .init(code: "2", help: "The command line is wrong, or the program could not start."),
      .init(code: "3", help: "The target is no URL."),
      .init(code: "6", help: "The host's name is unknown."),
      .init(code: "7", help: "The server can't be reached: nobody listens there, or there is no way."),
      .init(code: "8", help: "What answers is no broadcast server."),
      .init(
        code: "22", help: "The server refused (its status is told), or the message or channel is against the rules."),
      .init(code: "28", help: "The server did not answer within --timeout."),
      .init(code: "35", help: "No secure connection could be made."),
      .init(code: "47", help: "The server sends elsewhere; redirections are not followed."),
      .init(code: "56", help: "The connection broke."),
      .init(code: "60", help: "The server's certificate can't be trusted."),
      .init(code: "77", help: "The file of --ca-file can't be read."),
    ]
  }
}
