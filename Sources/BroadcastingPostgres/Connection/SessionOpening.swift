//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker

/// Opens the two connections of a session.
///
/// Behind a pooler a statement may run in a server's session that other programs use afterwards. So nothing is set or
/// prepared until a first probe has come from one connection to the other: then both have sessions of their own.
struct SessionOpening {
  /// A session that is given up is not waited for.
  private static let leavingTime = Duration.seconds(1)

  private let listening: PostgresDialer
  private let publishing: PostgresDialer
  private let probeName: ChannelName
  private let commitTimeout: Duration

  /// - Parameters:
  ///   - listening: To the server at which messages arrive.
  ///   - publishing: To the same server.
  ///   - probeName: The channel of the probes: of letters, digits, dots and underscores, and one that nobody else uses.
  ///   - commitTimeout: How long a transaction that notifies may wait for those of others to commit.
  init(
    _ listening: PostgresDialer, _ publishing: PostgresDialer, _ probeName: ChannelName, commitTimeout: Duration
  ) {
    self.listening = listening
    self.publishing = publishing
    self.probeName = probeName
    self.commitTimeout = commitTimeout
  }

  /// Both connections go to the same address: what is published at one server is not heard at another.
  func open() async throws(BroadcastError) -> (listening: PostgresLine, publishing: PostgresLine) {
    let (ear, address) = try await listening.open(running: "LISTEN \(probeName.quoted)")
    let mouth: PostgresLine
    do throws(BroadcastError) {
      mouth = try await publishing.open(running: firstProbe, at: address)
    } catch {
      await leave(ear)
      throw error
    }
    do throws(BroadcastError) {
      try await hear(on: ear, at: address)
      try await listening.run(Self.keepsIdle + encoding(for: ear), on: ear, at: address)
      try await publishing.run(
        "\(Self.keepsIdle); \(limitsCommits(to: "SESSION")); \(Self.prepares)", on: mouth, at: address)
      return (ear, mouth)
    } catch {
      await leave(ear)
      await leave(mouth)
      throw error
    }
  }

  private func hear(on line: PostgresLine, at address: PostgresAddress) async throws(BroadcastError) {
    if try await isHeard(on: line, within: ProbeSchedule.patience) { return }
    // A line that went dead meanwhile hears nothing either, and answers nothing. One that answers has been told before of all
    // that it is to hear: the database has confirmed both LISTEN and the commit.
    try await listening.run("SELECT 1", on: line, at: address)
    if try await !isHeard(on: line, within: .zero) { throw PostgresError.deaf(listening.place) }
  }

  private func isHeard(on line: PostgresLine, within limit: Duration) async throws(BroadcastError) -> Bool {
    do throws(LineFailure) { try await line.hear(probeName, within: limit) } catch {
      switch error.cause {
      case .cancelled: throw .cancelled
      case .timedOut: return false
      default: throw PostgresError.lost(error, "listens", at: listening.place)
      }
    }
    return true
  }

  /// Leaves nothing behind in a session that may not be this connection's own. The other one may have got it meanwhile.
  private func leave(_ line: PostgresLine) async {
    // Whatever comes of it, it is closed, and there is a reason already.
    do throws(LineFailure) { try await line.run("UNLISTEN \(probeName.quoted)", within: Self.leavingTime) } catch {}
    line.close()
  }

  // MARK: First statements

  // Names are qualified in every statement: who may create in a schema of the search path could otherwise have a function or
  // an operator taken that fits better than the system's, and with it the rights of the user of this connection.

  /// Without a prepared statement. To ask how full the queue is makes room in it, where an earlier session left it full.
  private var firstProbe: String {
    let channel = String(decoding: probeName.bytes, as: UTF8.self)
    return """
      SELECT pg_catalog.pg_notification_queue_usage(); \(limitsCommits(to: "LOCAL"));
      SELECT pg_catalog.pg_notify('\(channel)', '0')
      """
  }

  /// A transaction that notifies waits for those of others that do to commit. A server's process which waits there does not
  /// notice that its client is gone, so each session that was given up meanwhile would stay, and another one come.
  ///
  /// - Parameter scope: `LOCAL` ends with the transaction, and leaves nothing behind.
  private func limitsCommits(to scope: String) -> String {
    "SET \(scope) lock_timeout = \(max(1, Int(commitTimeout / .milliseconds(1))))"
  }

  /// A listening connection is idle to the server for as long as nothing is asked. The setting is there since version 14.
  private static let keepsIdle = """
    SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
    WHERE name OPERATOR(pg_catalog.=) 'idle_session_timeout'
    """

  /// A database that does not check its text would otherwise end the session with an error (22021) as soon as anybody
  /// notifies what is no UTF-8.
  private func encoding(for line: PostgresLine) -> String {
    line.isTextValid ? "" : "; SET client_encoding TO 'SQL_ASCII'"
  }

  private static let prepares = """
    PREPARE \(PublishingSide.statement)(pg_catalog.text[], pg_catalog.text[]) AS \
    SELECT pg_catalog.count(pg_catalog.pg_notify(channel, payload)) \
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS notifications(channel, payload)
    """
}
