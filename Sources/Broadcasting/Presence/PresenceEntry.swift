//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// A member's being present, which ends when it is left or dropped.
public final class PresenceEntry: Sendable {
  public let channel: Channel
  public let member: PresenceMember
  private let leaving: @Sendable () -> Void
  private let hasLeft = Atomic(false)

  /// - Parameter leaving: Called once.
  package init(channel: Channel, member: PresenceMember, leaving: @escaping @Sendable () -> Void) {
    self.channel = channel
    self.member = member
    self.leaving = leaving
  }

  deinit { leave() }

  /// Leaves, without waiting for the broker: it is told, or finds out by itself where it is away. Calling it again does nothing.
  public func leave() {
    if !hasLeft.exchange(true, ordering: .relaxed) { leaving() }
  }
}
