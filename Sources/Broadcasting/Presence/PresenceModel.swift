//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Who is present on a channel, as far as this program knows.
///
/// An update costs the same however many members there are.
struct PresenceModel: Sendable {
  private var infos: [PresenceName: [UInt8]] = [:]
  /// All of them, for who asks before the next update.
  private var list: [PresenceMember]?
  /// What its members take, as far as that depends on them.
  private(set) var bytes = 0

  init(_ members: some Sequence<PresenceMember> = []) {
    for member in members { set(PresenceName(member.name), member.info) }
  }

  @discardableResult
  private mutating func set(_ name: PresenceName, _ info: [UInt8]?) -> [UInt8]? {
    let before = info.map { infos.updateValue($0, forKey: name) } ?? infos.removeValue(forKey: name)
    bytes += Self.bytes(name, info) - Self.bytes(name, before)
    return before
  }

  private static func bytes(_ name: PresenceName, _ info: [UInt8]?) -> Int {
    info.map { 200 + name.text.utf8.count + $0.count } ?? 0
  }

  var count: Int { infos.count }

  func has(_ name: String) -> Bool { infos[PresenceName(name)] != nil }

  /// All members, in no order.
  mutating func members() -> [PresenceMember] {
    if let list { return list }
    let all = infos.map { PresenceMember($0.key.text, info: $0.value) }
    list = all
    return all
  }

  func isSame(as other: PresenceModel) -> Bool { infos == other.infos }

  /// These and all others of another model, whose infos hold.
  func merging(_ other: PresenceModel) -> PresenceModel {
    var both = self
    both.list = nil
    for (name, info) in other.infos { both.set(name, info) }
    return both
  }

  /// Takes an update in. Returns what it means for who knows this model, or nil when that is nothing.
  mutating func apply(_ update: PresenceUpdate) -> PresenceUpdate? {
    let result: PresenceUpdate?
    switch update {
    case .present(let members):
      self = PresenceModel(members)
      return update
    case .joined(let member), .changed(let member):
      let before = set(PresenceName(member.name), member.info)
      result = before == nil ? .joined(member) : before == member.info ? nil : .changed(member)
    case .left(let member):
      result = set(PresenceName(member.name), nil).map { .left(PresenceMember(member.name, info: $0)) }
    }
    if result != nil { list = nil }
    return result
  }
}
