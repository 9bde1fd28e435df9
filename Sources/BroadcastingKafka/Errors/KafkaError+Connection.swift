//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A connection that does not come about, or does not last.
extension KafkaError {
  /// There is no session to be had.
  static func connecting(_ failure: KafkaFailure, to servers: KafkaServerAddress, _ library: LibraryVersion = .current)
    -> BroadcastError
  {
    let what = "Kafka at \(servers)"
    let words = sentence(failure.text)
    switch failure.code {
    case .authentication, .saslHandshake:
      return BroadcastError(.refused, "\(what) refuses the login: \(words) \(login(failure.text, library))")
    case .ssl:
      return BroadcastError(
        .refused,
        "\(what) gives no secure connection: \(words) \(security(failure.text))")
    case .resolve:
      return BroadcastError(
        .unavailable, "\(what) cannot be reached: \(words) Is the host right?", isRetriable: true)
    case .invalidArgument:
      return BroadcastError(.refused, "A connection to Kafka at \(servers) can't be made: \(words)")
    case _ where failure.code.meansTimedOut:
      return BroadcastError(
        .timedOut,
        "\(what) did not answer in time: \(words) Are host and port right, and can the addresses be reached from here that the "
          + "brokers advertise (advertised.listeners)? Or is this another server than Kafka?", isRetriable: true)
    default:
      return BroadcastError(
        failure.code.isRetriable ? .unavailable : .refused,
        "\(what) cannot be reached: \(words)\(hint(failure.text))\(rights(failure.code, .connect))",
        isRetriable: failure.code.isRetriable)
    }
  }

  /// A session is without its brokers for now, and goes on once they are back.
  static func suspended(_ failure: KafkaFailure, at servers: KafkaServerAddress) -> BroadcastError {
    if failure.code.concernsLogin { return connecting(failure, to: servers) }
    return BroadcastError(
      failure.code.meansTimedOut ? .timedOut : .unavailable,
      "The connection to Kafka at \(servers) is lost: \(sentence(failure.text)) It goes on where it was once a broker answers.",
      isRetriable: true)
  }

  static func silent(_ servers: KafkaServerAddress, isNew: Bool) -> BroadcastError {
    let text =
      isNew
      ? "Kafka at \(servers) took a first probe, and then it did not arrive."
      : "Kafka at \(servers) answers no more, or delivers no more: a probe did not arrive in time."
    return BroadcastError(.timedOut, text, isRetriable: true)
  }

  static func probing(_ failure: KafkaFailure, topic: String, at servers: KafkaServerAddress) -> BroadcastError {
    let rights = failure.code.meansNoRight ? rights(failure.code, .probe(topic)) : missing(failure, topic)
    if failure.concernsCreation, !failure.code.meansNoRight { return creating(failure, topic: topic) }
    return error(failure, "Kafka at \(servers) refuses the probe of the connection in the topic \"\(topic)\"", rights)
  }

  static func exchanged(_ servers: KafkaServerAddress) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "What answers at \(servers) is another cluster than before; where reading was means nothing there.",
      isRetriable: true)
  }

  private static func login(_ text: String, _ library: LibraryVersion) -> String {
    var advice = "Check user and password in the URL; %, @, : and / in them are written as %25, %40, %3A and %2F."
    if offersNoMechanism(text) {
      advice = "This port takes no login: leave user and password out of the URL, or name a port that takes one."
    } else if text.contains("handshake failed") || text.contains("supported mechanisms") {
      advice = "Set sasl.mechanism to one that the broker has."
    } else if library.hasOldSCRAM {
      advice +=
        " With SCRAM there may be another cause: Kafka 4 refuses right passwords of librdkafka before 2.6.1, and here it is "
        + "\(library). Update it, or use PLAIN over TLS."
    }
    return advice
  }

  /// What the broker has stands behind these words, and behind that what librdkafka adds in brackets.
  private static func offersNoMechanism(_ text: String) -> Bool {
    let words = "supported mechanisms:"
    guard let range = text.firstRange(of: words) else { return false }
    let rest = text[range.upperBound...].drop { $0.isWhitespace || $0 == "." }
    return rest.isEmpty || rest.first == "("
  }

  /// OpenSSL's words for an answer that is none of TLS.
  private static let ofPlainPorts = [
    "wrong version number", "packet length too long", "unexpected eof", "EOF", "PLAINTEXT", "http request",
  ]

  private static let noTLS =
    "The port may speak no TLS: then security.protocol is plaintext, or sasl_plaintext with a user. Or is this another server "
    + "than Kafka?"

  private static func security(_ text: String) -> String {
    ofPlainPorts.contains { text.contains($0) }
      ? noTLS
      : "Whom to trust is in ssl.ca.location; the name in the certificate must be the one in the URL, and those which the "
        + "brokers advertise."
  }

  /// What librdkafka guesses itself is in its words.
  private static func hint(_ text: String) -> String {
    var hints = ""
    if text.contains("security.protocol") {
      hints = " With TLS the URL needs security.protocol=ssl, with a user as well sasl_ssl."
    }
    if text.contains("SSL_HANDSHAKE") { hints += " \(noTLS)" }
    // The first answer is none of Kafka's protocol.
    if ["ApiVersion", "APIVERSION", "response size", "frame size"].contains(where: { text.contains($0) }) {
      hints += " Is the port right, or is this another server than Kafka?"
    }
    return hints
  }
}
