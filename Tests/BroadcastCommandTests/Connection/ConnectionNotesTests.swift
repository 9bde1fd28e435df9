//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import broadcast

@Suite("What is told of a connection")
struct ConnectionNotesTests {
  private func lines(_ events: BroadcastEvent...) -> [String] {
    var notes = ConnectionNotes()
    return events.compactMap { notes.line(for: $0) }
  }

  private func error(_ message: String) -> BroadcastError { .init(.unavailable, message, isRetriable: true) }

  @Test("a first connection is nothing to tell")
  func firstConnection() {
    #expect(lines(.init(.connected), .init(.running), .init(.resubscribed, count: 1), .init(.ended)) == [])
  }

  @Test("a lost connection is told with its reason, and when it is back")
  func lost() {
    #expect(
      lines(.init(.connected), .init(.connectionLost, error: error("reset")), .init(.connected))
        == ["connection lost: reset; trying again", "connected again"])
  }

  @Test("a reason that stays the same is told once")
  func sameReason() {
    #expect(
      lines(
        .init(.connected), .init(.connectionLost, error: error("reset")), .init(.retrying, error: error("reset")),
        .init(.retrying, error: error("refused")), .init(.retrying, error: error("refused")), .init(.connected),
        .init(.connectionLost, error: error("reset")))
        == [
          "connection lost: reset; trying again", "refused; trying again", "connected again",
          "connection lost: reset; trying again",
        ])
  }

  @Test("members who were told again are counted, and that somebody keeps no messages is told once")
  func presenceAndHistory() {
    #expect(
      lines(
        .init(.presenceRefilled, count: 1), .init(.presenceRefilled, count: 200), .init(.presenceRefilled, count: 0))
        == ["told who is present again: 1 member", "told who is present again: 200 members"])
    #expect(
      lines(
        .init(.unrecorded, channel: "a", count: 3), .init(.unrecorded, channel: "a", count: 6),
        .init(.filled, count: 2))
        == ["a: another program publishes here without keeping its messages in the history"])
  }

  @Test("the first connection is told when it took more than one attempt")
  func lateFirstConnection() {
    #expect(
      lines(.init(.retrying, error: error("refused")), .init(.connected)) == ["refused; trying again", "connected"])
  }

  @Test("a channel that is refused is named, and no lost connection")
  func refusedChannel() {
    #expect(
      lines(.init(.connected), .init(.refused, channel: "a", error: error("no")), .init(.connected))
        == ["a: no; trying again"])
  }

  @Test("a server that goes with all its channels is told in two lines: that it went, and why it can't be reached")
  func serverWithChannels() {
    #expect(
      lines(
        .init(.connected), .init(.connectionLost, channel: "a", error: error("It broke.")),
        .init(.retrying, channel: "a", error: error("It broke.")),
        .init(.connectionLost, channel: "b", error: error("It broke.")),
        .init(.retrying, channel: "b", error: error("It broke.")), .init(.connectionLost, error: error("refused")),
        .init(.retrying, error: error("refused")), .init(.connected), .init(.resubscribed, count: 2))
        == ["connection lost: It broke; trying again", "refused; trying again", "connected again"])
  }

  @Test("a channel that is lost alone is told, and that it is back; the next time again")
  func lostChannel() {
    #expect(
      lines(
        .init(.connected), .init(.connectionLost, channel: "a", error: error("It broke.")),
        .init(.retrying, channel: "a", error: error("It broke.")), .init(.resubscribed, count: 1),
        .init(.connectionLost, channel: "a", error: error("It broke.")))
        == ["connection lost: It broke; trying again", "connected again", "connection lost: It broke; trying again"])
  }

  @Test("what was gathered of many channels, and so comes late, ends with how it stands")
  func gathered() {
    #expect(
      lines(
        .init(.connectionLost, channel: "a", error: error("It broke.")),
        .init(.retrying, channel: "a", error: error("It broke.")), .init(.resubscribed, count: 1),
        .init(.connectionLost, channel: "z", count: 25, error: error("It broke.")),
        .init(.resubscribed, count: 24), .init(.retrying, channel: "z", count: 3, error: error("Not now.")),
        .init(.resubscribed, count: 1))
        == [
          "connection lost: It broke; trying again", "connected again", "connection lost: It broke; trying again",
          "connected again", "z: Not now; trying again", "connected again",
        ])
  }

  @Test("a reason that counts down is told once, and so is one that a call meets too")
  func countingDown() {
    var notes = ConnectionNotes()
    let told = [
      notes.line(for: .init(.retrying, error: error("left alone for 3600 s"))),
      notes.line(for: .init(.retrying, error: error("left alone for 3599 s"))),
      notes.line(forFailed: error("left alone for 90 s")), notes.line(forFailed: error("No.")),
      notes.line(forFailed: error("No.")),
    ]
    #expect(told == ["left alone for 3600 s; trying again", nil, nil, "No; trying again", nil])
  }
}
