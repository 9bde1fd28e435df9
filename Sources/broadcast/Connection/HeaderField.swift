//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingClient

/// A header field that the user wants in each request.
struct HeaderField: Hashable, Sendable {
  let name: String
  let value: String
}

extension ValueKind<HeaderField> {
  /// `Name: value` (RFC 9110, sections 5.1 and 5.5).
  static let header = ValueKind(placeholder: "HEADER") { text throws(ValueError) in
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let isToken = parts[0].utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
    }
    guard parts.count == 2, !parts[0].isEmpty, isToken, !parts[1].utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
    else { throw ValueError(allowed: "a name, a colon and a value, such as 'Authorization: Bearer x'") }
    guard !ServerRequests.isOwn(field: String(parts[0])) else {
      throw ValueError(allowed: "a field that the client does not write itself, as it does \(parts[0])")
    }
    let value = parts[1].drop { $0 == " " }
    return HeaderField(name: String(parts[0]), value: String(value))
  } format: { _ in
    nil
  }
}
