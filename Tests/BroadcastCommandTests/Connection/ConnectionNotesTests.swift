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

  @Test("a channel that lost its connection is named, each time")
  func lostChannel() {
    #expect(
      lines(
        .init(.connected), .init(.connectionLost, channel: "a", error: error("It broke.")),
        .init(.retrying, channel: "a", error: error("It broke.")),
        .init(.connectionLost, channel: "a", error: error("It broke.")))
        == ["a: connection lost: It broke; trying again", "a: connection lost: It broke; trying again"])
  }
}
