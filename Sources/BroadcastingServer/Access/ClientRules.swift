//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// What clients of the server's own endpoints may do.
struct ClientRules: Sendable {
  let origins: OriginPolicy
  let patterns: ChannelPatterns
  let maximumChannels: Int
  let maximumMessage: Int

  /// - Throws: ``RequestError`` with 403 for a page, or a machine, that may not use the server.
  func checkOrigin(of request: Request) throws(RequestError) {
    let refusal = origins.refusal(
      origin: request.http.headers["Origin"], host: request.http.host, peerIsLoopback: request.isFromThisMachine)
    if let refusal { throw RequestError(refusal) }
  }

  /// - Throws: ``RequestError`` with 413.
  func check(size: Int) throws(RequestError) {
    guard size <= maximumMessage else {
      throw RequestError(
        .contentTooLarge, "message_too_large", "The message has \(size) bytes; \(maximumMessage) are allowed.")
    }
  }

  /// The channels that the query names, each once; `events` if it names none.
  func channels(of request: Request, atMost limit: Int) throws -> [Channel] {
    var channels: [Channel] = []
    for (name, value) in try request.query() where name == "channel" {
      let channel = Channel(value)
      if channels.contains(channel) { continue }
      try check(channel)
      guard channels.count < limit else {
        throw RequestError(
          .badRequest, "too_many_channels",
          limit == 1 ? "A push goes to one channel." : "A socket may have \(limit) channels.")
      }
      channels.append(channel)
    }
    if channels.isEmpty {
      let channel = Channel(PushBody.defaultChannel)
      try check(channel)
      channels = [channel]
    }
    return channels
  }

  /// - Throws: ``BroadcastError`` for a name that is none, ``RequestError`` with 403 for one that clients may not use.
  func check(_ channel: Channel) throws {
    try channel.validate()
    guard patterns.allows(channel.name.utf8) else {
      throw RequestError(
        .forbidden, "channel_not_allowed", "Clients of this server may not use the channel \(channel).")
    }
  }
}
