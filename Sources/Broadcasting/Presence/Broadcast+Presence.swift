//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Broadcast {
  public func enterPresence(
    on channel: Channel, as member: PresenceMember
  ) async throws(BroadcastError) -> PresenceEntry {
    throw .presenceUnsupported
  }

  public func presence(of channel: Channel) async throws(BroadcastError) -> [PresenceMember] {
    throw .presenceUnsupported
  }

  public func presenceUpdates(of channel: Channel) async throws(BroadcastError) -> PresenceUpdates {
    throw .presenceUnsupported
  }

  /// Makes a member present on a channel for the time of a closure. Leaving it, in whatever way, ends that, without a wait for
  /// the broker.
  ///
  /// The closure runs where the caller runs, so it can use what belongs to the caller's actor.
  ///
  /// - Parameters:
  ///   - channel: Where.
  ///   - name: Who: 1 to 255 bytes of UTF-8 without NUL.
  ///   - info: What all others learn of the member.
  ///   - body: As long as it runs, the member is present.
  public func withPresence<Result>(
    on channel: Channel, as name: String, info: [UInt8] = [], _ body: () async throws -> Result
  ) async throws -> Result {
    let entry = try await enterPresence(on: channel, as: PresenceMember(name, info: info))
    defer { entry.leave() }
    return try await body()
  }

  /// The same with an info that is text.
  public func withPresence<Result>(
    on channel: Channel, as name: String, info: String, _ body: () async throws -> Result
  ) async throws -> Result {
    try await withPresence(on: channel, as: name, info: Array(info.utf8), body)
  }
}
