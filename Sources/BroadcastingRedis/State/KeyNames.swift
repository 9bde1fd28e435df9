//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The names of keys, and of the channels by which programs tell each other what has changed in them.
struct KeyNames: Sendable {
  private let prefix: String
  private let database: Int

  init(prefix: String, database: Int) {
    self.prefix = prefix
    self.database = database
  }

  /// - Throws: Where keys with such a prefix could be confused, or a rule for them (ACL) could mean something else.
  static func validate(prefix: String) throws(BroadcastError) {
    let isAllowed = prefix.utf8.allSatisfy { byte in
      byte > UInt8(ascii: " ") && byte != 0x7F && !"{}*".utf8.contains(byte)
    }
    guard isAllowed, (1...64).contains(prefix.utf8.count) else {
      throw BroadcastError(
        .invalidChannel,
        "The keyPrefix \"\(prefix.prefix(64))\" cannot be: it has 1 to 64 bytes, and none of {, }, *, a space or a control "
          + "character.")
    }
  }

  /// A key about a channel. All of one channel have the same hash tag, for whatever spreads keys over servers.
  func key(_ what: String, of channel: Channel) -> [UInt8] {
    Array("\(prefix)\(what):{".utf8) + Self.encode(channel) + [UInt8(ascii: "}")]
  }

  /// The channel by which changes in a key are told.
  ///
  /// Redis knows channels without their database, and programs with two of them hear each other's messages. So the database and
  /// the prefix are in the name.
  func channel(_ what: String, of key: [UInt8]) -> [UInt8] {
    Array("\(Channel.reservedPrefix)\(what).\(database).".utf8) + key
  }

  /// The name with all braces encoded, so that the tag is the whole of it.
  private static func encode(_ channel: Channel) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in channel.name.utf8 {
      switch byte {
      case UInt8(ascii: "%"): bytes += Array("%25".utf8)
      case UInt8(ascii: "{"): bytes += Array("%7B".utf8)
      case UInt8(ascii: "}"): bytes += Array("%7D".utf8)
      default: bytes.append(byte)
      }
    }
    return bytes
  }
}
