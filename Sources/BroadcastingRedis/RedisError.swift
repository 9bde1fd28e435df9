//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The errors of a Redis backend. None holds a password.
enum RedisError {
  // MARK: The connection

  static func connecting(_ error: NetworkError, to server: RedisURL) -> BroadcastError {
    if error.code == .cancelled { return .cancelled }
    let (code, isRetriable): (BroadcastError.Code, Bool) =
      switch error.code {
      case .timedOut: (.timedOut, true)
      case .certificateRefused, .authoritiesUnusable: (.refused, false)
      case .tlsFailed: (.refused, false)
      case .invalidAddress: (.invalidURL, false)
      default: (.unavailable, true)
      }
    let text = "Redis at \(server) cannot be reached: \(sentence(error.message))"
    return BroadcastError(code, text, isRetriable: isRetriable, underlying: error)
  }

  /// The server has taken the connection, and there is no TLS over it. A port without TLS waits for the end of what it takes for a
  /// line, and so says nothing.
  static func securing(_ error: NetworkError, to server: RedisURL) -> BroadcastError {
    var result = connecting(error, to: server)
    switch error.code {
    case .tlsFailed, .timedOut, .reset:
      result.message += " Without TLS the URL begins with redis://."
    default: break
    }
    return result
  }

  /// The server closed a line, or it broke.
  static func lost(
    _ server: RedisURL, _ error: NetworkError?, isNew: Bool = false, wasBusy: Bool = false
  ) -> BroadcastError {
    var text =
      error.map { "The connection to Redis at \(server) broke: \(sentence($0.message))" }
      ?? "Redis at \(server) closed the connection."
    if isNew, !server.isSecure { text += " If it expects TLS, the URL begins with rediss://." }
    if wasBusy {
      text +=
        " Much was arriving just then: the server closes a connection that takes less than is published, by its limit "
        + "client-output-buffer-limit pubsub. Raise that, or let this program do less for each message."
    }
    return BroadcastError(.unavailable, text, isRetriable: true, underlying: error)
  }

  static func silent(_ server: RedisURL, isNew: Bool) -> BroadcastError {
    let text =
      isNew
      ? "Redis at \(server) took the subscription to a first probe, and then the probe did not arrive. Do all connections to "
        + "that address lead to the same server?"
      : "Redis at \(server) answers no more, or delivers no more: a probe did not arrive in time."
    return BroadcastError(.timedOut, text, isRetriable: true)
  }

  static func slow(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .timedOut,
      "The connection to Redis at \(server) delivers more slowly than messages come: a probe behind them did not arrive within "
        + "\(ProbeSchedule.deliveringPatience). Subscribe to less, publish less or smaller messages, or give the program a "
        + "faster line.", isRetriable: true)
  }

  static func loginTimedOut(_ server: RedisURL, after time: Duration) -> BroadcastError {
    let advice = server.isSecure ? "" : " Does it expect TLS? Then the URL begins with rediss://."
    return BroadcastError(
      .timedOut, "Redis at \(server) took the connection, and did not answer within \(time).\(advice)",
      isRetriable: true)
  }

  /// - Parameter isNew: Whether it never answered as Redis does.
  static func notRedis(_ violation: ReplyReader.Violation, _ server: RedisURL, isNew: Bool) -> BroadcastError {
    isNew
      ? BroadcastError(
        .refused, "What answers at \(server) is no Redis server (\(violation.text)). Are host and port right?")
      : BroadcastError(
        .unavailable, "Redis at \(server) sent what is not its protocol (\(violation.text)).", isRetriable: true)
  }

  static func unexpected(from server: RedisURL) -> BroadcastError {
    BroadcastError(
      .unavailable, "Redis at \(server) sent an answer to something it was not asked.", isRetriable: true)
  }

  // MARK: What a server refuses

  /// An error that is no matter of a single command.
  static func refused(_ refusal: Refusal, by server: RedisURL) -> BroadcastError {
    let advice =
      switch refusal.code {
      case "NOAUTH": "It wants a password: redis://:password@host, or redis://user:password@host."
      case "DENIED":
        "Its protected mode takes local connections alone until it has a password (requirepass), or a bind."
      case "LOADING": "It is starting, and reads its data."
      case "MASTERDOWN": "It is a replica that has lost its primary."
      case "BUSY": "It runs a script."
      default: refusal.meansTooManyClients ? "Raise its maxclients, or close connections that nobody needs." : ""
      }
    return error(refusal, "Redis at \(server) refuses the connection", advice)
  }

  static func login(_ refusal: Refusal, by server: RedisURL) -> BroadcastError {
    if refusal.concernsConnection, refusal.code != "WRONGPASS" { return refused(refusal, by: server) }
    let advice =
      if refusal.text.contains("wrong number of arguments") {
        "Before version 6 Redis knows no users. Leave the user out of the URL: redis://:password@host."
      } else if refusal.text.contains("without any password") || refusal.text.contains("no password is set") {
        "It wants no password. Leave it out of the URL."
      } else {
        "Check user and password in the URL; %, @, :, / and ? in them are written as %25, %40, %3A, %2F and %3F."
      }
    return BroadcastError(.refused, "Redis at \(server) refuses the login: \(sentence(refusal.text)) \(advice)")
  }

  static func database(_ refusal: Refusal, by server: RedisURL) -> BroadcastError {
    if refusal.concernsConnection { return refused(refusal, by: server) }
    return BroadcastError(
      .refused,
      "Redis at \(server) refuses the database \(server.database): \(sentence(refusal.text)) Messages go to all of its "
        + "databases, so the URL needs to name none.")
  }

  /// - Parameter name: Of the channel, or the pattern.
  static func subscribing(_ refusal: Refusal, to name: [UInt8], at server: RedisURL) -> BroadcastError {
    let name = String(decoding: name, as: UTF8.self)
    return error(
      refusal, "Redis at \(server) refuses the subscription to \"\(name)\"", rights(refusal, "subscribe +psubscribe"))
  }

  /// - Parameter channel: Nil where it is not known any more.
  static func publishing(_ refusal: Refusal, to channel: Channel?, at server: RedisURL) -> BroadcastError {
    let place = channel.map { " to \"\($0)\"" } ?? ""
    return error(refusal, "Redis at \(server) refuses the message\(place)", rights(refusal, "publish"))
  }

  static func probing(_ refusal: Refusal, at server: RedisURL) -> BroadcastError {
    error(
      refusal, "Redis at \(server) refuses the probe of the connection",
      rights(refusal, "subscribe +publish and &\(Channel.reservedPrefix)*"))
  }

  static func rights(_ refusal: Refusal, _ rights: String) -> String {
    switch refusal.code {
    case "NOPERM": "Give the user the right to it, as by ACL SETUSER name +\(rights), and & with the channels."
    case "NOAUTH": "It has got a password meanwhile."
    case "WRONGTYPE": "Another program has a key of that name: choose another keyPrefix."
    case _ where refusal.meansNoRightToChannel: "Give the user the right to it: & with the channels (ACL SETUSER)."
    case _ where refusal.isUnknownCommand: "The command has been renamed or switched off there."
    default: ""
    }
  }

  static func error(_ refusal: Refusal, _ what: String, _ advice: String) -> BroadcastError {
    BroadcastError(
      refusal.isRetriable ? .unavailable : .refused,
      "\(what): \(sentence(refusal.text))" + (advice.isEmpty ? "" : " \(advice)"), isRetriable: refusal.isRetriable)
  }

  static func isReplica(_ server: RedisURL) -> BroadcastError {
    // A failover may be under way, and the name leads to the new primary soon.
    BroadcastError(
      .unavailable,
      "Redis at \(server) is a replica: what is published there does not reach the subscribers of its primary. Connect to "
        + "the primary.", isRetriable: true)
  }

  static func isSentinel(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .refused,
      "What answers at \(server) is a Redis Sentinel, which carries no messages. Connect to the primary that it watches."
    )
  }

  // MARK: Calls

  static func subscribingTimedOut(_ server: RedisURL, after time: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "Redis at \(server) did not confirm a subscription within \(time). Try again.", isRetriable: true)
  }

  static func publishingTimedOut(_ server: RedisURL, after time: Duration) -> BroadcastError {
    BroadcastError(.timedOut, "Redis at \(server) did not take a message within \(time).", isRetriable: true)
  }

  static func impossibleName(_ count: Int) -> BroadcastError {
    BroadcastError(
      .undecodable,
      "A pattern matches a channel whose name no channel here can have (not UTF-8, \(count) bytes of at most "
        + "\(Channel.maximumBytes), or with a NUL). Such messages are left out.")
  }

  static func tooLong(_ count: Int, limit: Int) -> BroadcastError {
    BroadcastError(
      .messageTooLarge,
      "A message of \(count) bytes came, more than maximumReceivedBytes allows (\(limit)). Such messages are left out, each with "
        + "a gap.")
  }

  static func sentence(_ text: String) -> String {
    if text.allSatisfy({ $0 == " " }) { return "it does not say why." }
    return if let last = text.last, ".?!".contains(last) { text } else { text + "." }
  }
}
