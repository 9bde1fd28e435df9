//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension RedisError {
  /// What a user needs beside the rights to its channels and to ``Channel/reservedPrefix``, and to the keys.
  static let presenceRights =
    "+evalsha +script|load +time +hget +hset +hdel +hlen +hincrby +hgetall +hmget +hscan +exists +del +pexpire +zadd +zrange +zrem "
    + "+zcount +zscore +zrangebyscore"

  /// A question about presence was refused.
  static func presence(_ error: BroadcastError) -> BroadcastError {
    guard error.code == .refused, !error.isRetriable else { return error }
    var error = error
    error.message +=
      " Presence needs Redis 5.0 or later, and its user the rights &\(Channel.reservedPrefix)*, the keyPrefix as in "
      + "~broadcast:*, and \(presenceRights)."
    return error
  }

  /// Programs on one broker have different limits.
  static func tooManyPresent(_ count: Int, on channel: Channel, _ limit: Int) -> BroadcastError {
    BroadcastError(
      .presenceFull,
      "The channel \(channel) has \(count) members, more than this program's maximumMembers of \(limit). Give all programs on "
        + "the broker the same limit.", isRetriable: true)
  }
}
