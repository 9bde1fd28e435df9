//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a watcher of a channel learns. See ``Broadcast/presenceUpdates(of:)``.
public enum PresenceUpdate: Sendable, Hashable {
  /// All who are present, in no order. It comes first, and again whenever updates may have been missed: it takes the place
  /// of all that was told before.
  case present([PresenceMember])
  case joined(PresenceMember)
  /// It has what was known of the member at last.
  case left(PresenceMember)
  /// The member is there as before, with another info.
  case changed(PresenceMember)

  /// The member that joined, left or changed.
  var member: PresenceMember? {
    switch self {
    case .present: nil
    case .joined(let member), .left(let member), .changed(let member): member
    }
  }
}

extension PresenceUpdate: LogElement {
  package var bufferedBytes: Int { member.map { 96 + $0.name.utf8.count + $0.info.count } ?? 0 }
}
