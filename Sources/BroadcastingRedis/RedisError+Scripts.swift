//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Errors of histories, and of other scripts.
extension RedisError {
  /// What a user needs beside the rights to its channels.
  static let historyRights =
    "&\(Channel.reservedPrefix)* and the keyPrefix as in ~broadcast:* +info +evalsha +script|load +time +hmget +hset +del +xadd "
    + "+xlen +xrange +xrevrange +xtrim +xdel +pexpire"

  /// The server does not let this program keep histories.
  static func history(_ refusal: Refusal, at server: RedisURL) -> BroadcastError {
    if refusal.concernsConnection { return refused(refusal, by: server) }
    if refusal.meansCluster { return isCluster(server) }
    return histories(error(refusal, "Redis at \(server) does not say which run of it this is", ""))
  }

  /// What histories need was refused.
  static func histories(_ error: BroadcastError) -> BroadcastError {
    if error.isRetriable { return error }
    var error = error
    error.message += " Histories need Redis 5.0 or later, and their user the rights \(historyRights)."
    return error
  }

  static func isCluster(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .refused,
      "Redis at \(server) is part of a cluster, where histories and presence are not supported. Use a server by itself, or "
        + "do without them.")
  }

  static func namesNoRun(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .refused,
      "Redis at \(server) does not say who it is: INFO shows neither run_id nor master_replid. Without that a history cannot "
        + "tell whether a restart lost some of it.")
  }

  static func differentServers(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .unavailable,
      "The connections to Redis at \(server) lead to different servers, or it was restarted just then. All connections to that "
        + "address have to lead to the same server.", isRetriable: true)
  }

  /// The channel on which the positions of another are announced.
  static func announcements(_ refusal: Refusal, at server: RedisURL) -> BroadcastError {
    error(
      refusal, "Redis at \(server) refuses the subscription to the positions of a history",
      rights(refusal, "subscribe and &\(Channel.reservedPrefix)*"))
  }

  // MARK: Publishing

  /// What a message of a channel with a history found when the server had lost the script. It was not published.
  struct ScriptIsMissing: Error {}

  static func scriptIsMissing(_ server: RedisURL) -> BroadcastError {
    BroadcastError(
      .unavailable, "Redis at \(server) has lost the script that keeps messages (SCRIPT FLUSH?). Try again.",
      isRetriable: true, outcome: .notSent, underlying: ScriptIsMissing())
  }

  /// The server has published a message of a channel with a history, and then something failed that should not have.
  static func unkept(_ refusal: Refusal, on channel: Channel?, at server: RedisURL) -> BroadcastError {
    let place = channel.map { " on \"\($0)\"" } ?? ""
    var result = error(
      refusal, "Redis at \(server) has published the message\(place), and does not keep it",
      rights(refusal, "xadd, and what else histories need"))
    result.outcome = .unconfirmed
    return result
  }

  // MARK: Questions

  static func asking(_ refusal: Refusal, at server: RedisURL) -> BroadcastError {
    if refusal.meansCluster { return isCluster(server) }
    return error(
      refusal, "Redis at \(server) refuses a script",
      rights(refusal, "evalsha +script|load, to what the script calls, and to the keys"))
  }

  static func askingTimedOut(_ server: RedisURL, after time: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "Redis at \(server) did not answer a question within \(time). Try again.", isRetriable: true)
  }
}
