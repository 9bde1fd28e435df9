//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a hub wants to be changed in who is present on a channel.
public struct PresenceChange: Sendable, Hashable {
  public enum Step: Sendable, Hashable {
    /// The process has this member, with this info from now on.
    case enter(PresenceMember)
    /// The process has told this member before, and has it still. It is entered if need be; but where another process has it
    /// too, the info there holds, since nobody knows which of the two came later.
    case stay(PresenceMember)
    /// The process has this member no more.
    case leave(String)
  }

  /// The most steps of a change.
  public static let maximumSteps = 200

  public var channel: Channel
  /// Which process: 32 hexadecimal digits at random, one of each hub.
  public var process: String
  /// Counts up whenever the process tells all of its members again. What it had in an earlier one and not in this is found
  /// by ``PresenceCheck/round``.
  public var round: Int
  public var steps: [Step]
  /// A member beyond so many on the channel is refused.
  public var maximumMembers: Int

  public init(channel: Channel, process: String, round: Int, steps: [Step], maximumMembers: Int) {
    self.channel = channel
    self.process = process
    self.round = round
    self.steps = steps
    self.maximumMembers = maximumMembers
  }
}

/// By what a process says that it lives, and asks whether the broker has its members right.
public struct PresenceCheck: Sendable, Hashable {
  public var channel: Channel
  public var process: String
  /// How many members it has there. Without any it only asks.
  public var members: Int
  /// Takes out first what the process has told in an earlier round than this and not in this. Nil: nothing.
  public var round: Int?
  /// In which epoch of the channel's updates the process has told its members. In another the broker has them right no more, and
  /// in the same with another number a part of what it knew is lost: then it forgets all, and begins another epoch. Nil: not known.
  public var epoch: UInt64?
  /// Whether members of processes that have not been heard of for too long are taken out.
  public var takesOutDead: Bool

  public init(
    channel: Channel, process: String, members: Int, round: Int? = nil, epoch: UInt64? = nil,
    takesOutDead: Bool = true
  ) {
    self.channel = channel
    self.process = process
    self.members = members
    self.round = round
    self.epoch = epoch
    self.takesOutDead = takesOutDead
  }
}

/// What a broker says to a ``PresenceCheck``.
public struct PresenceAnswer: Sendable, Hashable {
  /// Whether it has as many members of the process as that says. Where it has not, all of them are told again.
  public var isRight: Bool
  /// Whether there are more dead to take out: ask again.
  public var hasMoreDead: Bool
  /// Where the channel's updates stand, ``MessagePosition/beginning`` where there have been none.
  public var position: MessagePosition

  public init(isRight: Bool, hasMoreDead: Bool = false, position: MessagePosition) {
    self.isRight = isRight
    self.hasMoreDead = hasMoreDead
    self.position = position
  }
}

/// All who are present on a channel at one moment.
public struct PresenceSnapshot: Sendable, Hashable {
  /// That of the last update which it contains.
  public var position: MessagePosition
  public var members: [PresenceMember]

  public init(position: MessagePosition, members: [PresenceMember]) {
    self.position = position
    self.members = members
  }
}

/// An update that a broker tells all watchers of a channel. Their offsets count up by one within an epoch; a broker that has
/// forgotten them begins another epoch with 1.
public struct PresenceNews: Sendable, Hashable {
  public var position: MessagePosition
  /// Anything but ``PresenceUpdate/present(_:)``. Of one who left the info is not needed.
  public var update: PresenceUpdate

  public init(position: MessagePosition, update: PresenceUpdate) {
    self.position = position
    self.update = update
  }
}

extension BroadcastDriver {
  public func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String] {
    throw .presenceUnsupported
  }

  public func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer {
    throw .presenceUnsupported
  }

  public func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot {
    throw .presenceUnsupported
  }

  public func watchPresence(of channel: Channel) async throws(BroadcastError) { throw .presenceUnsupported }
  public func unwatchPresence(of channel: Channel) async throws(BroadcastError) { throw .presenceUnsupported }
  public func finishPresence() async {}
}
