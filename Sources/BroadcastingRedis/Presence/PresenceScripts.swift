//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension ServerScript {
  /// Changes who is present, and checks it.
  static let presence = ServerScript(name: "presence", source: PackageResources.presence_lua)
  /// Reads who is present.
  static let who = ServerScript(name: "who", source: PackageResources.who_lua)
}

/// How presence is asked for and told of.
struct PresenceScripts: Sendable {
  /// For so long a process lives without a word.
  static let lease = Duration.seconds(15)
  /// A snapshot may be long; this is no limit, but what is taken into account.
  private static let snapshotBytes = 1024 * 1024
  private static let toldOn = "in"

  let names: KeyNames

  private func key(of channel: Channel) -> [UInt8] { names.key("presence", of: channel) }

  /// The channel in Redis on which updates are told.
  func updates(of channel: Channel) -> [UInt8] { names.channel(Self.toldOn, of: key(of: channel)) }

  /// Whether a channel of that name is one of those, of this program or of another.
  static func isTold(on name: UnsafeRawBufferPointer) -> Bool {
    name.starts(with: "\(Channel.reservedPrefix)\(toldOn).".utf8)
  }

  /// How many pieces a snapshot has.
  static func pieces(of members: Int) -> Int { 2 + 2 * members }

  // MARK: Questions

  func change(_ change: PresenceChange) -> ScriptCall {
    var arguments = start(change.channel, change.process, maximumMembers: change.maximumMembers)
    arguments += [Array("change".utf8), Array("\(change.round)".utf8)]
    for step in change.steps {
      switch step {
      case .enter(let member): arguments += [[UInt8(ascii: "+")], Array(member.name.utf8), member.info]
      case .stay(let member): arguments += [[UInt8(ascii: "=")], Array(member.name.utf8), member.info]
      case .leave(let name): arguments += [[UInt8(ascii: "-")], Array(name.utf8), []]
      }
    }
    return call(.presence, change.channel, change.process, arguments)
  }

  func check(_ check: PresenceCheck) -> ScriptCall {
    var arguments = start(check.channel, check.process, maximumMembers: 0)
    arguments += [Array("check".utf8), Array("\(check.members)".utf8)]
    arguments += [check.round.map { Array("\($0)".utf8) } ?? [], check.takesOutDead ? [UInt8(ascii: "1")] : []]
    arguments.append(check.epoch.map { Array("\($0)".utf8) } ?? [])
    return call(.presence, check.channel, check.process, arguments)
  }

  func snapshot(of channel: Channel, maximumMembers: Int) -> ScriptCall {
    var call = call(.who, channel, "", [Array("\(maximumMembers)".utf8)])
    call.answerBytes = Self.snapshotBytes
    return call
  }

  private func start(_ channel: Channel, _ process: String, maximumMembers: Int) -> [[UInt8]] {
    let lease = Self.lease.components.seconds * 1_000
    return [Array(process.utf8), Array("\(lease)".utf8), Array("\(maximumMembers)".utf8), updates(of: channel)]
  }

  private func call(
    _ script: ServerScript, _ channel: Channel, _ process: String, _ arguments: [[UInt8]]
  ) -> ScriptCall {
    let key = key(of: channel)
    let others = ["held", "leases", "state"] + (process.isEmpty ? [] : ["by:\(process)"])
    return ScriptCall(script: script, keys: [key] + others.map { key + Array(":\($0)".utf8) }, arguments: arguments)
  }
}
