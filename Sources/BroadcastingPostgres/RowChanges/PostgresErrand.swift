//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// One connection for some statements, on a loop of its own.
actor PostgresErrand {
  /// The database's no.
  struct Refusal: Error {
    let error: BroadcastError
    /// A schema or a function does not exist.
    var isFunctionMissing = false
  }

  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let dialer: PostgresDialer
  private let limit: Duration
  private let purpose: String
  private var line: PostgresLine?

  private init(_ url: PostgresURL, _ limit: Duration, _ purpose: String, on loop: EventLoop) {
    self.loop = loop
    self.limit = limit
    self.purpose = purpose
    dialer = PostgresDialer(url, limit: limit, on: loop)
  }

  /// - Parameter purpose: What the errors say it is for, such as "watch the table orders".
  static func run(
    in url: String, within limit: Duration, _ purpose: String,
    _ body: @escaping @Sendable (PostgresErrand) async throws(BroadcastError) -> Void
  ) async throws(BroadcastError) {
    let url = try BackendURL(url)
    guard ["postgres", "postgresql"].contains(url.scheme) else {
      throw BroadcastError(
        .unknownScheme,
        "The changes of a table's rows are PostgreSQL's: the URL begins with postgres://, and this one does not.")
    }
    let address = try PostgresURL(url)
    do {
      try await withEventLoops(count: 1) { loops in
        try await withTaskExecutorPreference(loops[0]) {
          let errand = PostgresErrand(address, limit, purpose, on: loops[0])
          try await errand.run(body)
        }
      }
    } catch let error as BroadcastError {
      throw error
    } catch {
      throw BroadcastError(.unavailable, "There is no event loop to be had.", isRetriable: true, underlying: error)
    }
  }

  private func run(_ body: (PostgresErrand) async throws(BroadcastError) -> Void) async throws(BroadcastError) {
    // Whoever gives up should not stay in the database's queue for the table.
    let milliseconds = Int(min(max(1, limit / .milliseconds(1)), Double(Int32.max)))
    let (line, _) = try await dialer.open(running: "SET lock_timeout = \(milliseconds)")
    self.line = line
    defer {
      self.line = nil
      line.close()
    }
    try await body(self)
  }

  /// Runs statements in one transaction.
  func run(_ statements: String) async throws(Refusal) {
    guard let line else { throw Refusal(error: .cancelled) }
    do throws(LineFailure) { try await line.run(statements, within: limit) } catch { throw refusal(error) }
  }

  /// Whether `broadcast.watch()` is there as this version calls it.
  func hasFunctions() async throws(Refusal) -> Bool {
    do throws(Refusal) {
      try await run(
        """
        SELECT 'broadcast.watch(pg_catalog.regclass, pg_catalog.text, pg_catalog.text[], pg_catalog.text, pg_catalog.text[])'
          ::pg_catalog.regprocedure
        """)
      return true
    } catch {
      guard error.isFunctionMissing else { throw error }
      return false
    }
  }

  private func refusal(_ failure: LineFailure) -> Refusal {
    let what = "The database at \(dialer.place)"
    switch failure.cause {
    case .cancelled: return Refusal(error: .cancelled)
    case .timedOut: return Refusal(error: tooLate(what))
    case .server(.lockNotAvailable): return Refusal(error: tooLate(what))
    case .server(let state):
      let error = BroadcastError(
        .refused, "\(what) refused to \(purpose): \(failure.reason) (SQLSTATE \(state))", isRetriable: state.isRetriable
      )
      return Refusal(error: error, isFunctionMissing: state == .noSuchSchema || state == .noSuchFunction)
    case .passwordMissing, .other:
      return Refusal(error: PostgresError.lost(failure, "was to \(purpose)", at: dialer.place))
    }
  }

  private func tooLate(_ what: String) -> BroadcastError {
    BroadcastError(
      .timedOut,
      "\(what) took longer than \(limit) to \(purpose). Does a transaction that has used the table stay open? "
        + "pg_stat_activity shows it.", isRetriable: true)
  }
}
