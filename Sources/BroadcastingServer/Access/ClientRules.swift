//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// What clients may do.
///
/// A class: every request has it, and some requests stay as long as their socket.
final class ClientRules: Sendable {
  let origins: OriginPolicy
  private let patterns: ChannelPatterns
  let maximumChannels: Int
  private let maximumMessage: Int
  /// The longest target of a request, in bytes. HTTP's own parser keeps to it too.
  let maximumTarget: Int
  /// Parameters of the query beside `channel`, which checks of the program read.
  private let otherParameters: Set<String>

  init(_ configuration: BroadcastServer.Configuration) {
    origins = configuration.origins
    patterns = configuration.channels
    maximumChannels = configuration.limits.channels
    maximumMessage = configuration.limits.message
    maximumTarget = configuration.limits.target
    otherParameters = Set(configuration.endpoints.otherParameters)
  }

  /// - Throws: ``RequestError`` with 413.
  func check(size: Int) throws(RequestError) {
    guard size <= maximumMessage else {
      throw RequestError(
        .contentTooLarge, "message_too_large", "The message has \(size) bytes; \(maximumMessage) are allowed.")
    }
  }

  /// The channel that the query of a push names; `events` if it names none.
  ///
  /// - Throws: ``RequestError`` with 400 for a channel that stands there twice, and for a parameter that is not known.
  func channel(of push: Request) throws -> Channel {
    var named: Channel?
    for (name, value) in try push.query() {
      guard try isChannel(name, known: "channel") else { continue }
      guard named == nil else {
        throw RequestError(.badRequest, "too_many_channels", "A push goes to one channel, which it names once.")
      }
      named = Channel(value)
    }
    guard let named else { return try usualChannel() }
    try check(named)
    return named
  }

  /// Whether a parameter names a channel.
  ///
  /// - Throws: ``RequestError`` with 400 for a parameter that is neither that nor one of the program's: a typing error must
  ///   not lead to `events`.
  func isChannel(_ name: String, known: String) throws(RequestError) -> Bool {
    if name == "channel" { return true }
    try checkOther(parameter: name, known: known)
    return false
  }

  /// Where a request goes that names no channel.
  func usualChannel() throws -> Channel {
    let channel = Channel(PushBody.defaultChannel)
    try check(channel)
    return channel
  }

  /// Looks at the query of a request whose body names the channel.
  ///
  /// - Throws: ``RequestError`` with 400 for a channel in it, which would have to be the body's or ignored, and for a
  ///   parameter that is not known.
  func checkNoChannel(inQueryOf request: Request) throws(RequestError) {
    for (name, _) in try request.query() {
      guard name != "channel" else {
        throw RequestError(
          .badRequest, "misplaced_channel",
          """
          With application/json the channel belongs into the body: {"channel": "events", "message": …}. In the query it \
          stands with text/plain and application/octet-stream.
          """)
      }
      try checkOther(parameter: name, known: nil)
    }
  }

  private func checkOther(parameter name: String, known channel: String?) throws(RequestError) {
    guard !otherParameters.contains(name) else { return }
    let known = ([channel].compactMap { $0 } + otherParameters.sorted()).joined(separator: ", ")
    throw RequestError(
      .badRequest, "unknown_parameter",
      "The query has the unknown parameter \"\(name.prefix(64))\". Known here: \(known.isEmpty ? "none" : known).")
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
