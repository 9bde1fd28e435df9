//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import COpenSSL

/// How a channel is called at the database.
///
/// PostgreSQL takes names of up to 63 bytes, and cuts longer ones in silence, so that two could become one. A channel of up
/// to 63 bytes keeps its name. A longer one is called by ``Channel/reservedPrefix`` and the SHA-256 of its name in Base64
/// without padding (RFC 4648, section 4), 55 bytes in all. No channel's own name may begin with that prefix, so no two
/// channels meet.
struct ChannelName: Hashable, Sendable {
  /// `NAMEDATALEN - 1` of PostgreSQL.
  static let maximumBytes = 63

  let bytes: [UInt8]

  init(of channel: Channel) {
    let name = Array(channel.name.utf8)
    bytes = name.count <= Self.maximumBytes ? name : Array(Channel.reservedPrefix.utf8) + Self.digest(name)
  }

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// As an identifier of SQL, which may hold anything but NUL.
  var quoted: String {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for byte in bytes {
      text.append(byte)
      if byte == UInt8(ascii: "\"") { text.append(byte) }
    }
    text.append(UInt8(ascii: "\""))
    return String(decoding: text, as: UTF8.self)
  }

  /// A statement that fails, as publishing does, where the name is longer than ``maximumBytes`` in the encoding of the
  /// database, though it is not in UTF-8. LISTEN would cut it, which may make it the name of another channel.
  ///
  /// `pg_notify` is called for such a name alone and refuses it, so nothing is ever sent. Nil for a name in ASCII, which is
  /// the same in all encodings.
  var lengthCheck: String? {
    guard bytes.contains(where: { $0 >= 0x80 }) else { return nil }
    var text: [UInt8] = []
    for byte in bytes {
      if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") { text.append(byte) }
      text.append(byte)
    }
    let literal = "E'\(String(decoding: text, as: UTF8.self))'"
    return """
      SELECT pg_catalog.pg_notify(\(literal), '') \
      WHERE pg_catalog.octet_length(\(literal)) OPERATOR(pg_catalog.>) \(Self.maximumBytes)
      """
  }

  private static func digest(_ name: [UInt8]) -> [UInt8] {
    let digest = Digest.of(name)
    // 43 characters, one of padding, and the NUL of C.
    var text = [UInt8](repeating: 0, count: 45)
    EVP_EncodeBlock(&text, digest, CInt(digest.count))
    return Array(text.prefix(43))
  }
}
