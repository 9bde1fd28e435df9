//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingPostgres

@Suite("Names of channels at the database")
struct ChannelNameTests {
  @Test(
    "a name of up to 63 bytes stays as it is", arguments: ["a", "A \"b\"; c", String(repeating: "ä", count: 31) + "x"])
  func short(name: String) {
    #expect(ChannelName(of: Channel(name)).bytes == Array(name.utf8))
  }

  @Test("a longer one is the prefix and its digest in Base64 without padding")
  func long() {
    let name = ChannelName(of: Channel(String(repeating: "x", count: 64)))
    // printf %064d | tr 0 x | openssl dgst -sha256 -binary | base64
    #expect(name.bytes == Array("__broadcast.fOEAlx9k5wAej+WlGXPs3+HO1Cvv5+6NX9YhlQa1OTw".utf8))
    #expect(name.bytes.count <= ChannelName.maximumBytes)
  }

  @Test("long names that begin alike don't mix")
  func distinct() {
    let start = String(repeating: "é", count: 40)
    #expect(ChannelName(of: Channel(start + "a")) != ChannelName(of: Channel(start + "b")))
  }

  @Test("only a name that may grow in another encoding is checked for its length, with quotes and backslashes doubled")
  func check() {
    #expect(ChannelName(of: "it's").lengthCheck == nil)
    let name = #"E'é''\\\\'"#
    #expect(
      ChannelName(of: #"é'\\"#).lengthCheck
        == "SELECT pg_catalog.pg_notify(\(name), '') "
        + "WHERE pg_catalog.octet_length(\(name)) OPERATOR(pg_catalog.>) 63")
  }

  @Test("quotes in an identifier are doubled")
  func quoted() {
    #expect(ChannelName(of: #"a"; DROP TABLE "b"#).quoted == #""a""; DROP TABLE ""b""#)
  }
}
