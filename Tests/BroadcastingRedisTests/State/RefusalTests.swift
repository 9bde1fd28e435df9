//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingRedis

@Suite("What a server's errors mean")
struct RefusalTests {
  @Test(
    "some pass, and others will not change",
    arguments: [
      ("NOAUTH Authentication required.", false), ("WRONGPASS invalid username-password pair", false),
      ("NOPERM this user has no permissions", false), ("DENIED Redis is running in protected mode", false),
      ("MOVED 1 127.0.0.1:7000", false), ("ERR unknown command 'PUBLISH'", false), ("ERR anything", false),
      ("ERR max number of clients reached", true), ("LOADING Redis is loading the dataset in memory", true),
      ("MASTERDOWN Link with MASTER is down", true), ("READONLY You can't write", true),
      ("BUSY Redis is busy running a script", true), ("OOM command not allowed", true), ("CLUSTERDOWN", true),
    ])
  func retriable(text: String, isRetriable: Bool) { #expect(Refusal(text).isRetriable == isRetriable) }

  @Test("arguments are cut off, for one of them may be a password")
  func secrets() {
    let refusal = Refusal("ERR unknown command 'AUTH', with args beginning with: 'secret' ")
    #expect(refusal.text == "ERR unknown command 'AUTH'")
    #expect(refusal.isUnknownCommand)
  }

  @Test("the text is one line, and not too long")
  func text() {
    #expect(Refusal("ERR a\r\nb\u{1B}[0m").text == "ERR a  b [0m")
    #expect(Refusal("ERR " + String(repeating: "x", count: 5000)).text.count == 200)
    #expect(Refusal("").code == "")
  }
}
