//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What the scripts for presence answer, and tell.
enum PresenceWords {
  /// The names that were refused.
  static func refused(_ reply: ReplyReader) -> [String]? {
    (0..<reply.count).map { String(decoding: reply.bytes(at: $0), as: UTF8.self) }
  }

  static func answer(_ reply: ReplyReader) -> PresenceAnswer? {
    guard reply.count == 3, case .integer(let isRight) = reply.kind(at: 0), case .integer(let dead) = reply.kind(at: 1),
      reply.kind(at: 2) == .text, let position = MessagePosition(reply.text(at: 2))
    else { return nil }
    return PresenceAnswer(isRight: isRight == 1, hasMoreDead: dead > 0, position: position)
  }

  /// A channel's members, or how many there are where they are too many.
  enum Snapshot: Sendable, Equatable {
    case all(PresenceSnapshot)
    case tooMany(Int)
  }

  /// Members of a name that none can have were not put there by this library, and are left out.
  static func snapshot(_ reply: ReplyReader) -> Snapshot? {
    guard reply.count > 1, reply.kind(at: 0) == .text, let position = MessagePosition(reply.text(at: 0)),
      case .integer(let count) = reply.kind(at: 1)
    else { return nil }
    if count > 0, reply.count == 2 { return .tooMany(Int(count)) }
    var members: [PresenceMember] = []
    members.reserveCapacity(reply.count / 2)
    for index in stride(from: 2, to: reply.count - 1, by: 2) {
      guard let name = String(validating: reply.bytes(at: index), as: UTF8.self) else { continue }
      members.append(PresenceMember(name, info: Array(reply.bytes(at: index + 1))))
    }
    return .all(PresenceSnapshot(position: position, members: members))
  }

  /// Reads `EPOCH-VERSION SIGN COUNT `, then so many bytes of a name, and the info. Nil where it is something else.
  static func news(_ bytes: UnsafeRawBufferPointer) -> PresenceNews? {
    let space = UInt8(ascii: " ")
    let parts = bytes.split(separator: space, maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[1].count == 1, let sign = parts[1].first,
      let position = MessagePosition(String(decoding: parts[0], as: UTF8.self)),
      let count = Int(String(decoding: parts[2], as: UTF8.self)), count >= 0, count <= parts[3].count,
      let name = String(validating: parts[3].prefix(count), as: UTF8.self)
    else { return nil }
    let member = PresenceMember(name, info: Array(parts[3].dropFirst(count)))
    switch sign {
    case UInt8(ascii: "+"): return PresenceNews(position: position, update: .joined(member))
    case UInt8(ascii: "-"): return PresenceNews(position: position, update: .left(member))
    case UInt8(ascii: "~"): return PresenceNews(position: position, update: .changed(member))
    default: return nil
    }
  }
}
