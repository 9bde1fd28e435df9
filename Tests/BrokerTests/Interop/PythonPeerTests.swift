//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite(
  "Python's broadcaster on the same broker",
  .enabled(if: Tool.python.isWanted, "Python's packages are missing"),
  .timeLimit(.minutes(1)))
struct PythonPeerTests {
  @Test("it hears us and we hear it, byte for byte", arguments: Broker.startableForeign)
  func mutual(broker: Broker) async throws {
    try await broker.withServer(isHurt: false) { server in
      let url = server.url(port: server.port)
      try await withBroadcast(try broker.open(url, Events())) { broadcast in
        // So that the channel is there, where one has to be made.
        let first = try await broadcast.subscribe(to: "meeting")
        defer { first.cancel() }
        let peer = try await PythonProgram.peer.start([url, "meeting"])
        try await peer.line(containing: "subscribed")
        try await untilHearing(peer, broadcast, first)
        let arrived = try await ForeignText.arrivals(of: ForeignText.all, at: broadcast, on: "meeting") { text in
          try peer.send(ForeignText.digits(text))
        }
        #expect(arrived == ForeignText.all.map { Message($0, to: "meeting") })
        for text in ForeignText.all { try await peer.line(containing: "message \(ForeignText.digits(text))") }
        for text in ForeignText.all {
          try await broadcast.publish(text, to: "meeting")
          let line = try await peer.line(containing: "message")
          #expect(line == "message \(ForeignText.digits(text))")
        }
      }
    }
  }

  /// It may say that it is subscribed a little before it is. What is asked has come to us too when this returns.
  private func untilHearing(
    _ peer: ChildProcess, _ broadcast: any Broadcast, _ subscription: Subscription
  ) async throws {
    var deliveries = subscription.makeAsyncIterator()
    for number in 0..<100 {
      let text = "are you there? \(number)"
      try await broadcast.publish(text, to: "meeting")
      let line = "message \(ForeignText.digits(text))"
      let isHeard = (try? await peer.line(containing: line, within: .milliseconds(500))) != nil
      _ = try await deliveries.texts(upTo: text)
      if isHeard { return }
    }
    throw TooLate(description: "The peer hears nothing.")
  }
}
