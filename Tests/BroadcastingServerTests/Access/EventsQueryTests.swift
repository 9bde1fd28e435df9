//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport
import Testing

@Suite("What queries say of the past", .timeLimit(.minutes(1)))
struct EventsQueryTests {
  @Test(
    "a socket's start that says nothing, or two things, is refused before the handshake",
    arguments: [
      ("last=1&last=1", "repeated_parameter"), ("after=1-1&after=1-1", "repeated_parameter"),
      ("positions=true&positions=true", "repeated_parameter"), ("last=1&after=1-1", "contradictory_start"),
      ("channel=kept.b&after=1-1", "misplaced_after"), ("last=", "invalid_parameter"), ("last=-1", "invalid_parameter"),
      ("last=10001", "invalid_parameter"), ("last=x", "invalid_parameter"), ("positions=", "invalid_parameter"),
      ("last=%2B1", "invalid_parameter"), ("positions=1", "invalid_parameter"), ("positions=True", "invalid_parameter"),
      ("after=", "invalid_position"), ("after=1", "invalid_position"), ("after=1-01", "invalid_position"),
      ("after=1-1-1", "invalid_position"), ("after=-", "invalid_position"), ("Last=1", "unknown_parameter"),
      ("channel=other&last=1", "no_history"), ("limit=1", "unknown_parameter"),
    ])
  func events(query: String, code: String) async throws {
    try await withKeepingServer { server in
      let response = try await server.connect().upgrade("/events?channel=kept.a&\(query)")
      #expect(response?.status == .badRequest && response?.text.contains("\"code\": \"\(code)\"") == true)
      #expect(server.broadcast.statistics.subscribers == 0)
    }
  }

  @Test(
    "a history's query is held to the same",
    arguments: [
      ("limit=0", 400, "invalid_parameter"), ("limit=1001", 400, "invalid_parameter"),
      ("limit=1&limit=1", 400, "repeated_parameter"), ("after=1", 400, "invalid_position"),
      ("last=1&after=1-1", 400, "contradictory_start"), ("channel=kept.b", 400, "too_many_channels"),
      ("positions=true", 400, "unknown_parameter"), ("last=100001", 400, "invalid_parameter"),
    ])
  func history(query: String, status: Int, code: String) async throws {
    try await withKeepingServer { server in
      let response = try await server.connect().request(.get, "/history?channel=kept.a&\(query)")
      #expect(response?.status.code == status && response?.text.contains("\"code\": \"\(code)\"") == true)
    }
  }

  @Test("all that a channel can keep can be asked for page by page")
  func longPast() async throws {
    try await withKeepingServer { server in
      let response = try await server.connect().request(.get, "/history?channel=kept.a&last=100000")
      #expect(response?.status == .ok)
    }
  }

  @Test("parameters of the program stay its own")
  func otherParameters() async throws {
    try await withKeepingServer { configuration in
      configuration.endpoints.otherParameters = ["token"]
    } _: { server in
      let client = try await server.subscriber("/events?channel=kept.a&last=1&token=x")
      try await server.publish(0..<1, to: "kept.a")
      #expect(await client.receiveText() == "0")
      let response = try await server.connect().request(.get, "/history?channel=kept.a&token=x")
      #expect(response?.status == .ok)
    }
  }
}
