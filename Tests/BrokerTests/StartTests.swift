//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("Starting on a broker", .timeLimit(.minutes(3)))
struct StartTests {
  /// Nothing that is printed may hold it.
  private static let secret = "hunter2-of-the-tests"

  @Test("a wrong password is an error at once, which says what to correct", arguments: Broker.startable)
  func wrongPassword(broker: Broker) async throws {
    try await broker.withPassword(Self.secret) { server in
      let wrong = "wrong-\(Self.secret)"
      let failure = try await failure(of: broker, on: broker.url("127.0.0.1", server.port, password: wrong))
      #expect(failure.time < .seconds(8))
      #expect(failure.error.code == .refused && !failure.error.isRetriable)
      #expect(failure.text.contains("password"))
      // The right one works.
      try await withBroadcast(try broker.open(server.url(port: server.port), Events())) { broadcast in
        _ = try await broadcast.publish("x", to: "a")
      }
    }
  }

  @Test(
    "a missing password is an error at once, which says what to correct",
    arguments: Broker.startable.filter(\.tellsOfMissingPassword))
  func missingPassword(broker: Broker) async throws {
    try await broker.withPassword(Self.secret) { server in
      let failure = try await failure(of: broker, on: broker.url("127.0.0.1", server.port))
      #expect(failure.time < .seconds(8))
      #expect(failure.error.code == .refused && !failure.error.isRetriable)
      #expect(failure.text.contains("password"))
    }
  }

  @Test(
    "a database that isn't there is an error at once, which names it",
    arguments: Broker.startable.filter(\.hasDatabases))
  func wrongDatabase(broker: Broker) async throws {
    try await broker.withServer { server in
      let failure = try await failure(
        of: broker, on: broker.url("127.0.0.1", server.port, database: "77"))
      #expect(failure.time < .seconds(8))
      #expect(failure.error.code == .refused && !failure.error.isRetriable)
      #expect(failure.text.contains("77") && failure.text.contains("database"))
    }
  }

  @Test("an unknown host is tried for 10 s, and then an error which names it", arguments: Broker.startable)
  func unknownHost(broker: Broker) async throws {
    let failure = try await failure(of: broker, on: broker.url("nowhere.invalid", 1, password: Self.secret))
    #expect(failure.time > .seconds(9) && failure.time < .seconds(15))
    #expect(failure.text.contains("nowhere.invalid"))
  }

  @Test("a host where nobody listens is tried for 10 s, and then an error which names it", arguments: Broker.startable)
  func nobodyListens(broker: Broker) async throws {
    let failure = try await failure(of: broker, on: broker.url("127.0.0.1", 1, password: Self.secret))
    #expect(failure.time > .seconds(9) && failure.time < .seconds(15))
    #expect(failure.text.contains("127.0.0.1:1"))
    #expect(failure.error.code == .unavailable)
  }

  @Test("a silent host is tried for 10 s, and then an error which names it", arguments: Broker.startable)
  func silentHost(broker: Broker) async throws {
    let silent = try SilentServer()
    let failure = try await failure(of: broker, on: broker.url("127.0.0.1", silent.port, password: Self.secret))
    #expect(failure.time > .seconds(9) && failure.time < .seconds(15))
    #expect(failure.text.contains("127.0.0.1:\(silent.port)"))
    withExtendedLifetime(silent) {}
  }

  private struct Failure {
    var error: BroadcastError
    var time: Duration
    /// All that a log could print of it, and of what was told on the way.
    var text: String
  }

  /// How `run()` fails.
  private func failure(of broker: Broker, on url: String) async throws -> Failure {
    let events = Events()
    let start = ContinuousClock.now
    do throws(BroadcastError) {
      try await (try opened(broker, url, events)).run()
    } catch {
      let failure = Failure(
        error: error, time: ContinuousClock.now - start, text: "\(error)\n\(events.transcript(since: start))")
      #expect(!failure.text.contains(Self.secret), "\(failure.text)")
      return failure
    }
    throw TooLate(description: "It has started.")
  }

  private func opened(_ broker: Broker, _ url: String, _ events: Events) throws(BroadcastError) -> any Broadcast {
    do {
      return try broker.open(url, events)
    } catch let error as BroadcastError {
      throw error
    } catch {
      throw BroadcastError(.invalidURL, "\(error)")
    }
  }
}
