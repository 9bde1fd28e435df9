//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Somebody who is present on a channel.
///
/// A member is the bytes of its name, as a ``Channel`` is. Who enters twice under one name, here or in another program on
/// the same broker, is one member, who leaves with the last.
public struct PresenceMember: Sendable {
  /// The most bytes that a name may have.
  public static let maximumNameBytes = 255

  /// Who it is: 1 to 255 bytes of UTF-8 without NUL.
  public var name: String

  /// What all others learn of it: any bytes, as many as ``PresenceLimits/maximumInfoBytes`` allows. The last who enters under a
  /// name says what holds.
  public var info: [UInt8]

  public init(_ name: String, info: [UInt8] = []) {
    self.name = name
    self.name.makeContiguousUTF8()
    self.info = info
  }

  public init(_ name: String, info: String) { self.init(name, info: Array(info.utf8)) }

  /// The info as text, or nil where it is none.
  public var infoText: String? { String(validating: info, as: UTF8.self) }

  /// Checks the rules for names, and the limit of the info.
  func validate(_ limits: PresenceLimits) throws(BroadcastError) {
    let count = name.utf8.count
    if count == 0 { throw .invalidMember("A member's name cannot be empty.") }
    if count > Self.maximumNameBytes {
      throw .invalidMember(
        "A member's name is \(count) bytes of UTF-8; at most \(Self.maximumNameBytes) are allowed.")
    }
    if name.utf8.contains(0) { throw .invalidMember("A member's name cannot hold the character NUL (U+0000).") }
    if info.count > limits.maximumInfoBytes {
      throw .invalidMember(
        "A member's info is \(info.count) bytes; at most \(limits.maximumInfoBytes) are allowed by maximumInfoBytes.")
    }
  }
}

extension PresenceMember: Hashable {
  public static func == (left: PresenceMember, right: PresenceMember) -> Bool {
    left.name.hasSameBytes(as: right.name) && left.info == right.info
  }

  public func hash(into hasher: inout Hasher) {
    name.hashBytes(into: &hasher)
    hasher.combine(info)
  }
}

/// A member's name, compared by its bytes.
struct PresenceName: Sendable, Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (left: PresenceName, right: PresenceName) -> Bool { left.text.hasSameBytes(as: right.text) }

  func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }
}
