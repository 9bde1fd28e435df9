//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingPostgres

@Suite("What libpq says, taken apart")
struct ServerTextTests {
  @Test("a server's answer has its SQLSTATE")
  func answer() {
    let text = ServerText(
      """
      connection to server at "127.0.0.1", port 5432 failed: FATAL:  28P01: password authentication failed for user "me"
      LOCATION:  auth_failed, auth.c:326

      """)
    #expect(text.state == .passwordRefused)
    #expect(text.reason == #"password authentication failed for user "me"."#)
  }

  @Test("in any language")
  func language() {
    let text = ServerText("Verbindung zu Server fehlgeschlagen: FATAL:  3D000: Datenbank »x« existiert nicht\n")
    #expect(text.state == .noSuchDatabase && text.reason == "Datenbank »x« existiert nicht.")
  }

  @Test("of several attempts the last counts")
  func attempts() {
    let text = ServerText(
      "a failed: FATAL:  28000: with TLS\nLOCATION:  x\nb failed: FATAL:  53300: without\nLOCATION:  y")
    #expect(text.state == .tooManyConnections && text.reason == "without.")
  }

  @Test("libpq's own words lose the address, which the error says itself, and the advice")
  func own() {
    let text = ServerText(
      """
      connection to server at "127.0.0.1", port 1 failed: Connection refused
      \tIs the server running on that host and accepting TCP/IP connections?

      """)
    #expect(text.state == nil && text.reason == "Connection refused.")
    #expect(
      ServerText("server closed the connection unexpectedly\n\tThis probably means").reason.hasSuffix("unexpectedly."))
  }

  @Test("control characters are cleaned, and advice on certificates is kept")
  func cleaned() {
    #expect(ServerText("received invalid response to SSL negotiation: \u{1B}").reason.hasSuffix(": ?"))
    #expect(ServerText("a\u{7}b\u{9B}c").reason == "a?b?c.")
    let text = ServerText(
      """
      connection to server at "127.0.0.1", port 1 failed: root certificate file "/x.pem" does not exist
      Either provide the file or change sslmode to disable server certificate verification.

      """)
    #expect(text.reason.contains("/x.pem") && text.reason.contains("change sslmode"))
  }

  @Test("nothing, and too much, is a sentence too")
  func extremes() {
    #expect(ServerText("").reason == "no reason is given.")
    #expect(ServerText(String(repeating: "x", count: 10_000)).reason.count < 400)
    #expect(ServerText("a: b:  ABC: d").state == nil)
  }

  @Test(
    "a state says whether the same may succeed later",
    arguments: [
      ("28P01", false), ("28000", false), ("3D000", false), ("42501", false), ("22P05", false), ("57P03", true),
      ("53300", true), ("08006", true), ("57P01", true), ("54000", true), ("XX000", true),
    ])
  func states(code: String, isRetriable: Bool) {
    #expect(SQLState(code).isRetriable == isRetriable)
  }
}
