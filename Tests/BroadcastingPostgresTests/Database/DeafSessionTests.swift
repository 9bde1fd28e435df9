//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import BroadcastingNetwork
import TestSupport
import Testing

@testable import Broadcasting
@testable import BroadcastingPostgres

@Suite("A deaf session", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct DeafSessionTests {
  @Test("where what is published is not heard, starting fails, and names the poolers that do that")
  func deaf() async throws {
    try await PostgresServer.with { server in
      // What is notified in one database is not heard in another: as little as through a pooler.
      try await server.createDatabase("other")
      let error = try await withEventLoops(count: 1) { loops in
        try await TwoDatabases(
          listening: PostgresURL(BackendURL(server.url)),
          publishing: PostgresURL(BackendURL(server.url(database: "other"))),
          on: loops[0]
        ).failure()
      }
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("pgbouncer"))
    }
  }
}

/// A session whose connections go to two databases.
private actor TwoDatabases {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let listening: PostgresURL
  private let publishing: PostgresURL
  private var waiter: UnsafeContinuation<Void, Never>?

  init(listening: PostgresURL, publishing: PostgresURL, on loop: EventLoop) {
    self.listening = listening
    self.publishing = publishing
    self.loop = loop
  }

  /// How the session fails.
  func failure() async throws -> BroadcastError {
    let name = ChannelName("\(Channel.reservedPrefix)probe.x".utf8)
    let (first, _) = try await PostgresDialer(listening, limit: .seconds(5), on: loop)
      .open(running: PostgresConnection.listeningStatements(name))
    let (second, _) = try await PostgresDialer(publishing, limit: .seconds(5), on: loop)
      .open(running: PostgresConnection.publishingStatements)
    let session = try PostgresSession(
      ListeningSide(first, probeName: name, timeout: .seconds(2), on: loop),
      PublishingSide(second, PublishMailbox(), probeName: name, timeout: .seconds(2), on: loop),
      DriverInbox(hub: Hub(configuration: .init()), session: 0), at: "two databases", on: loop)
    session.onFailure = { self.assumeIsolated { $0.wake() } }
    try session.start()
    while session.failure == nil { await withUnsafeContinuation { waiter = $0 } }
    let failure = try #require(session.failure)
    session.close(because: failure)
    return failure
  }

  private func wake() { waiter.take()?.resume() }
}
