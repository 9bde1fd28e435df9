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

@Suite("A full queue", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct FullQueueTests {
  @Test("a session stays while the queue is full, and goes on when it is no longer")
  func stays() async throws {
    try await PostgresServer.with { server in
      // The queue has 8 GB: what refuses is a function that does so in the same words.
      try await server.psql(
        """
        CREATE TABLE queue (is_full boolean); INSERT INTO queue VALUES (false);
        CREATE FUNCTION try_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          IF (SELECT is_full FROM queue) THEN
            RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = 'program_limit_exceeded';
          END IF;
          PERFORM pg_notify(channel, payload);
        END $$
        """)
      try await withEventLoops(count: 1) { loops in
        try await Probed(PostgresURL(BackendURL(server.url)), on: loops[0]).run(server)
      }
    }
  }

  @Test("a start while the queue is full is tried again, and says what fills it")
  func starting() async throws {
    try await PostgresServer.with { server in
      // As above; this one is called in the place of PostgreSQL's own.
      try await server.psql(
        """
        ALTER FUNCTION pg_catalog.pg_notify(text, text) RENAME TO pg_notify_renamed;
        CREATE FUNCTION pg_catalog.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = 'program_limit_exceeded';
        END $$
        """)
      var configuration = PostgresBroadcast.Configuration()
      configuration.hub.connectPatience = .zero
      let broadcast = try PostgresBroadcast(server.url, configuration: configuration)
      let error = await #expect(throws: BroadcastError.self) { try await broadcast.run() }
      #expect(error?.code == .unavailable && error?.isRetriable == true)
      let message = error?.message ?? ""
      #expect(message.contains("54000") && message.contains("End that transaction"), "\(message)")
    }
  }
}

/// A session of which the probes are counted.
private actor Probed {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let url: PostgresURL
  private var waiter: UnsafeContinuation<Void, Never>?
  private var arrived = 0
  private var refused = 0

  init(_ url: PostgresURL, on loop: EventLoop) {
    self.url = url
    self.loop = loop
  }

  func run(_ server: PostgresServer) async throws {
    let name = ChannelName("\(Channel.reservedPrefix)probe.x".utf8)
    let dialer = PostgresDialer(url, limit: .seconds(5), on: loop)
    let (first, _) = try await dialer.open(running: "LISTEN \(name.quoted)")
    let (second, _) = try await dialer.open(
      running: """
        PREPARE \(PublishingSide.statement)(text[], text[]) AS
        SELECT count(try_notify(channel, payload)) FROM unnest($1, $2) AS notifications(channel, payload)
        """)
    let session = try PostgresSession(
      ListeningSide(first, probeName: name, timeout: .seconds(2), on: loop),
      PublishingSide(second, PublishMailbox(), probeName: name, timeout: .seconds(2), on: loop),
      DriverInbox(hub: Hub(configuration: .init()), session: 0), at: "a full queue", on: loop)
    session.onFailure = { self.assumeIsolated { $0.wake() } }
    try session.start()
    let (onArrival, onProbeRefused) = (session.listening.onArrival, session.publishing.onProbeRefused)
    session.listening.onArrival = { event in
      onArrival(event)
      self.assumeIsolated {
        if case .probe = event { $0.arrived += 1 }
        $0.wake()
      }
    }
    session.publishing.onProbeRefused = { number, error in
      onProbeRefused(number, error)
      self.assumeIsolated {
        $0.refused += 1
        $0.wake()
      }
    }
    while session.failure == nil, arrived == 0 { await wait() }
    try await server.psql("UPDATE queue SET is_full = true")
    while session.failure == nil, refused == 0 { await wait() }
    try await server.psql("UPDATE queue SET is_full = false")
    let before = arrived
    while session.failure == nil, arrived == before { await wait() }
    #expect(session.failure == nil && refused > 0)
    session.close(because: .ended)
  }

  private func wait() async { await withUnsafeContinuation { waiter = $0 } }

  private func wake() { waiter.take()?.resume() }
}
