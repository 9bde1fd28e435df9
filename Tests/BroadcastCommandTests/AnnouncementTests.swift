//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("What is printed at the start")
struct AnnouncementTests {
  private static let curl = #"try it: curl -d '{"message":"hi"}' -H 'content-type: application/json' "#

  @Test(
    "the line to try goes where the server listens",
    arguments: [
      ("127.0.0.1:8080", "localhost:8080/push"), ("[::1]:8080", "localhost:8080/push"),
      ("0.0.0.0:81", "localhost:81/push"), ("[::]:81", "localhost:81/push"),
      ("127.0.0.2:8080", "127.0.0.2:8080/push"), ("192.168.1.5:8080", "192.168.1.5:8080/push"),
      ("[2001:db8::1]:8080", "'http://[2001:db8::1]:8080'/push"),
      ("[fe80::1%eth0]:8080", "'http://[fe80::1%eth0]:8080'/push"),
    ])
  func line(address: String, target: String) {
    let text = Announcement(addresses: [address, "10.0.0.1:1"], servesPush: true).text
    #expect(text == "listening on http://\(address)\nlistening on http://10.0.0.1:1\n\(Self.curl)\(target)\n")
  }

  @Test("without /push there is nothing to try")
  func withoutPush() {
    #expect(Announcement(addresses: ["127.0.0.1:1"], servesPush: false).text == "listening on http://127.0.0.1:1\n")
  }
}
