//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The limits of presence. Values below 1 are taken as 1, a negative limit of info as 0.
///
/// A program that watches a channel holds all of its members, once for all who watch there: some 200 bytes and the name and the info
/// for each. With no more than `maximumMembers` of ``maximumInfoBytes`` each on a channel, and `maximumWatchedBytes` for all, what
/// watching holds has an end; beside it there may be 64 MiB of updates that nobody has read yet.
public struct PresenceLimits: Sendable, Hashable {
  /// The most members of a channel, those of all programs on the broker together. Give all of them the same limit.
  public var maximumMembers = 10_000 { didSet { maximumMembers = max(1, maximumMembers) } }

  /// The most bytes of a member's info.
  public var maximumInfoBytes = 1_024 { didSet { maximumInfoBytes = max(0, maximumInfoBytes) } }

  /// The most members that are present by this program, counted for each of their channels.
  public var maximumEntries = 100_000 { didSet { maximumEntries = max(1, maximumEntries) } }

  /// The most channels that this program watches at once.
  public var maximumWatched = 10_000 { didSet { maximumWatched = max(1, maximumWatched) } }

  /// About how many bytes the members of all watched channels may take before no further channel can be watched. Those which are
  /// watched go on, and may grow up to `maximumMembers`. It does not matter to a backend without a broker, which has no members but
  /// its own.
  public var maximumWatchedBytes = 256 * 1_024 * 1_024 { didSet { maximumWatchedBytes = max(1, maximumWatchedBytes) } }

  public init() {}
}
