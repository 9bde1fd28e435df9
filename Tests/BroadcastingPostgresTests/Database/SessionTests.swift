//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Sessions with a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct SessionTests {
  private static let terminateListening =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'swift-broadcast' AND query LIKE 'LISTEN%'"
  private static let terminatePublishing =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'swift-broadcast' AND query NOT LIKE '%LISTEN%'"

  @Test(
    "the end of either connection is a gap, and both come back", arguments: [terminateListening, terminatePublishing])
  func terminated(by statement: String) async throws {
    try await PostgresServer.with { server in
      let events = Lock<[BroadcastEvent]>([])
      let configuration = PostgresBroadcast.Configuration { event in events.withLock { $0.append(event) } }
      let broadcast = try PostgresBroadcast(server.url, configuration: configuration)
      try await withBroadcast(broadcast) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        try await broadcast.publish("before", to: "a")
        #expect(try await heard(1, of: &iterator) == ["before"])
        #expect(try await server.psql(statement) == "t")
        #expect(try await heard(1, of: &iterator) == ["gap"])
        try await broadcast.publish("behind", to: "a")
        #expect(try await heard(1, of: &iterator) == ["behind"])
      }
      let lost = events.withLock { $0.first { $0.kind == .connectionLost } }
      #expect(lost?.error?.message.contains("57P01") == true)
    }
  }

  @Test("each process takes two connections, and gives them back")
  func connections() async throws {
    try await PostgresServer.with { server in
      let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'swift-broadcast'"
      try await withBroadcast(try PostgresBroadcast(server.url)) { broadcast in
        _ = try await broadcast.subscribe(to: (0..<100).map { Channel("\($0)") })
        #expect(try await server.psql(count) == "2")
      }
      while try await server.psql(count) != "0" { await Task.yield() }
    }
  }

  @Test("a database that hangs answers nobody, and both say so within their time")
  func frozen() async throws {
    try await PostgresServer.with { server in
      var configuration = PostgresBroadcast.Configuration()
      configuration.publishTimeout = .milliseconds(300)
      configuration.subscribeTimeout = .milliseconds(300)
      try await withBroadcast(try PostgresBroadcast(server.url, configuration: configuration)) { broadcast in
        let kept = try await broadcast.subscribe(to: ["kept"])
        server.freeze()
        let published = await #expect(throws: BroadcastError.self) { try await broadcast.publish("x", to: "kept") }
        #expect(published?.code == .timedOut && published?.isRetriable == true && published?.outcome == .unconfirmed)
        let waiting = await #expect(throws: BroadcastError.self) { try await broadcast.publish("y", to: "kept") }
        #expect(waiting?.code == .timedOut && waiting?.outcome == .notSent)
        let subscribed = await #expect(throws: BroadcastError.self) { _ = try await broadcast.subscribe(to: ["late"]) }
        #expect(subscribed?.code == .timedOut && subscribed?.isRetriable == true)
        server.thaw()
        // The first was under way, the second was never sent.
        var iterator = kept.makeAsyncIterator()
        try await broadcast.publish("z", to: "kept")
        #expect(try await heard(2, of: &iterator) == ["x", "z"])
        // Whoever was refused is no listener.
        let psql = try await server.startPSQL()
        try psql.send("SELECT 'up';")
        try await psql.line(containing: "up")
        let again = try await broadcast.subscribe(to: ["late"])
        try await broadcast.publish("here", to: "late")
        var late = again.makeAsyncIterator()
        #expect(try await heard(1, of: &late) == ["here"])
      }
    }
  }

  @Test("names are looked up, a Unix socket is not, and of several hosts the first that answers is taken")
  func hosts() async throws {
    try await PostgresServer.with { server in
      let folder = server.socketFolder.split(separator: "/").joined(separator: "%2F")
      for place in [
        "localhost:\(server.port)", "%2F\(folder):\(server.port)", "127.0.0.1:1,127.0.0.1:\(server.port)",
        "nowhere.invalid:\(server.port),localhost:\(server.port)",
      ] {
        let url = "postgres://postgres@\(place)/postgres?target_session_attrs=read-write"
        try await withBroadcast(try PostgresBroadcast(url)) { broadcast in
          var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
          try await broadcast.publish(place, to: "a")
          #expect(try await heard(1, of: &iterator) == [place])
        }
      }
    }
  }

  @Test("TLS is libpq's, and says what it misses")
  func encrypted() async throws {
    var options = PostgresServer.Options()
    let certificates = try TestCertificates()
    options.certificates = certificates
    try await PostgresServer.with(options) { server in
      let text = String(repeating: "x", count: 200_000)
      try await withBroadcast(try PostgresBroadcast(server.url + "?sslmode=require")) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        for number in 0..<20 {
          try await broadcast.publish("\(number)\(text)", to: "a")
          #expect(try await heard(1, of: &iterator) == ["\(number)\(text)"])
        }
        #expect(try await server.psql("SELECT count(*) FROM pg_stat_ssl WHERE ssl") == "2")
      }
      let untrusted = try PostgresBroadcast(server.url + "?sslmode=verify-full&sslrootcert=/nowhere.pem")
      let error = await #expect(throws: BroadcastError.self) { try await untrusted.run() }
      #expect(error?.code == .refused && error?.isRetriable == false)
    }
  }
}
