//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Which channels have a history, and where.
struct KeptChannels: Sendable {
  let policies: HistoryPolicies
  let names: KeyNames

  /// Nil where no channel has one.
  init?(_ configuration: RedisBroadcast.Configuration, database: Int) {
    if configuration.hub.history.isEmpty { return nil }
    policies = configuration.hub.history
    names = KeyNames(prefix: configuration.keyPrefix, database: database)
  }

  func kept(_ channel: Channel) -> KeptChannel? { policies.policy(of: channel).map { KeptChannel(channel, $0, names) } }
}

/// A channel with a history, and where that lies.
struct KeptChannel: Sendable {
  /// What begins the names of the channels that announce positions.
  static let announcing = "at"

  let channel: Channel
  let policy: HistoryPolicy
  /// The messages. The id of an entry is the position.
  let stream: [UInt8]
  /// Where its positions stand.
  let log: [UInt8]
  /// By which the position of a message is told, just before the message.
  let announcements: [UInt8]

  init(_ channel: Channel, _ policy: HistoryPolicy, _ names: KeyNames) {
    self.channel = channel
    self.policy = policy
    stream = names.key("history", of: channel)
    log = names.key("log", of: channel)
    announcements = names.channel(Self.announcing, of: stream)
  }

  /// How long the log is remembered beyond the last message, so that a position of a channel that was quiet for long is none
  /// that is lost.
  private static let logLife = Duration.seconds(7 * 86_400)

  /// In milliseconds, as the scripts want it.
  var age: Int { Self.milliseconds(policy.maximumAge) }
  var life: Int { Self.milliseconds(policy.maximumAge + Self.logLife) }

  private static func milliseconds(_ duration: Duration) -> Int {
    Int(duration.components.seconds) * 1_000 + Int(duration.components.attoseconds / 1_000_000_000_000_000)
  }

  // MARK: Calls of scripts

  /// Asks where the channel stands, for somebody who listens from now on. The log begins with that, if it has not.
  func open(run: String) -> ScriptCall { read("open", "", run: run, messages: 1, bytes: 0) }

  /// Asks for the head alone, or for a page behind a start. Nothing is begun by that.
  ///
  /// - Parameter run: Of the server. Empty where it does not matter.
  func read(_ query: HistoryQuery, run: String) -> ScriptCall {
    let (what, from) =
      switch query.start.value {
      case .live: ("head", "")
      case .last(let count): ("last", "\(min(count, policy.maximumMessages))")
      case .after(let position): ("after", Self.exact(position).description)
      }
    let messages = min(max(1, query.maximumMessages), AskingSide.maximumPageMessages)
    let bytes = min(max(1, query.maximumBytes), 4 * 1_024 * 1_024)
    return read(what, from, run: run, messages: messages, bytes: what == "head" ? 0 : bytes)
  }

  private func read(_ what: String, _ from: String, run: String, messages: Int, bytes: Int) -> ScriptCall {
    let arguments = [what, from, run, "\(age)", "\(messages)", "\(bytes)", "\(life)"]
    return ScriptCall(
      script: .read, keys: [stream, log], arguments: arguments.map { Array($0.utf8) }, answerBytes: max(64, bytes))
  }

  /// Scripts count exactly up to this. No position that was ever given is beyond it.
  private static func exact(_ position: MessagePosition) -> MessagePosition {
    let greatest: UInt64 = 1 << 53 - 1
    return MessagePosition(epoch: min(position.epoch, greatest), offset: min(position.offset, greatest))
  }

  /// Goes through every branch of the script that records, and so fails where a user lacks a right for it. Nobody hears it, and
  /// nothing stays.
  static func trial(_ names: KeyNames) -> ScriptCall {
    let channel = Channel(Channel.reservedPrefix + "trial")
    let kept = KeptChannel(channel, HistoryPolicy(), names)
    let name = Array(channel.name.utf8)
    let rest = ["trial", "1", "0", "-1", "1000"].map { Array($0.utf8) }
    return ScriptCall(
      script: .record, keys: [kept.stream, kept.log], arguments: [name, name, kept.announcements] + rest,
      answerBytes: 64)
  }
}
