//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The errors of the backend. None of them repeats a password.
enum PostgresError {
  // MARK: Connecting

  static func connecting(_ failure: LineFailure, to address: PostgresAddress, within patience: String) -> BroadcastError
  {
    let what = "The database at \(address)"
    switch failure.cause {
    case .cancelled:
      return .cancelled
    case .timedOut:
      return BroadcastError(.timedOut, "\(what) \(late(at: failure.stage, patience))", isRetriable: true)
    case .passwordMissing:
      return BroadcastError(
        .refused,
        "\(what) wants a password, and there is none. Put it into the URL, the environment (PGPASSWORD) or the password "
          + "file (~/.pgpass).")
    case .server(let state):
      let text = "\(what) refused: \(failure.reason) (SQLSTATE \(state))\(advice(state, at: failure.stage))"
      return BroadcastError(failure.isRetriable ? .unavailable : .refused, text, isRetriable: failure.isRetriable)
    case .other:
      let text = failure.stage == .encrypting ? "gives no secure connection" : "cannot be reached"
      let advice = advice(onText: failure)
      return BroadcastError(
        failure.isRetriable ? .unavailable : .refused, "\(what) \(text): \(failure.reason)\(advice)",
        isRetriable: failure.isRetriable)
    }
  }

  private static func advice(onText failure: LineFailure) -> String {
    if failure.stage == .connecting { return " Are host and port right, and does the server run?" }
    // libpq's words for who does not fit target_session_attrs.
    if ["session is read-only", "server is in hot standby mode"].contains(where: failure.reason.contains) {
      return " Is it a standby? Name the primary too."
    }
    let isForeign = ["expected authentication request", "invalid response to SSL"].contains {
      failure.reason.contains($0)
    }
    return isForeign ? " Is this a PostgreSQL server?" : ""
  }

  private static func late(at stage: LineFailure.Stage, _ patience: String) -> String {
    switch stage {
    case .settingUp, .established:
      "took the log-in and did not answer the first statements in time; \(patience). LISTEN takes seconds where the queue of "
        + "notifications is long: SELECT pg_notification_queue_usage() tells. A pooler lets wait who gets no session; each "
        + "broadcast takes two sessions.\(heldCommit)"
    case .connecting:
      "did not take the connection in time; \(patience). Are host and port right, and does a firewall let it through?"
    case .encrypting, .loggingIn:
      "took the connection and did not finish the log-in in time; \(patience). Is this a PostgreSQL server, and is it overloaded?"
    }
  }

  private static func advice(_ state: SQLState, at stage: LineFailure.Stage) -> String {
    switch state {
    case .passwordRefused: " Correct user and password."
    case .loginRefused: " Correct the user, or let it in by the server's pg_hba.conf."
    case .noSuchDatabase: " Correct the database in the URL, or create it."
    case .notPermitted where stage == .settingUp: " Grant the user EXECUTE on pg_notify(text, text)."
    case .notPermitted: " Grant the user the right to connect to the database."
    case .tooManyConnections:
      " Each broadcast takes two connections: raise max_connections (or the user's or the database's CONNECTION LIMIT), or "
        + "run fewer programs."
    case .cannotConnectNow: " It is starting up or shutting down."
    case .readOnly:
      " A replica cannot listen. Name the primary, or name all of them and add target_session_attrs=read-write to the URL."
    case .statementExists: pooler
    case .limitExceeded: fullQueue
    case .lockNotAvailable where stage == .settingUp: heldCommit
    default: ""
    }
  }

  private static let heldCommit =
    " Only one transaction that notifies commits at a time in the whole cluster, and a trigger's may wait there for a disk or "
    + "for synchronous replicas: pg_stat_activity shows it in COMMIT, with SyncRep as what it waits for."

  private static let fullQueue =
    " A session that listens and sits in a transaction holds up the queue of all notifications, which is full. The log of "
    + "the server names it, and pg_notification_queue_usage() says how full the queue is. End that transaction."

  private static let pooler =
    " Is there a pooler between, such as pgbouncer in transaction mode? LISTEN needs a connection of its own: connect to the "
    + "database itself, or to a pool in session mode."

  static func lookUp(_ error: NetworkError, of place: String) -> BroadcastError {
    BroadcastError(
      error.code == .timedOut ? .timedOut : .unavailable,
      "The database at \(place) cannot be reached: \(ServerText.sentence(error.message)) Is the host right?",
      isRetriable: true, underlying: error)
  }

  static func noAddress(_ place: String) -> BroadcastError {
    BroadcastError(.unavailable, "The database at \(place) has no address.", isRetriable: true)
  }

  static func deaf(_ place: String) -> BroadcastError {
    BroadcastError(
      .refused,
      "The database at \(place) takes messages, and what is sent does not arrive at the connection that listens."
        + pooler)
  }

  // MARK: Sessions

  static func silent(_ place: String) -> BroadcastError {
    BroadcastError(
      .timedOut, "The database at \(place) no longer answers: a probe of the connection has not come back.",
      isRetriable: true)
  }

  static func slow(_ place: String) -> BroadcastError {
    BroadcastError(
      .timedOut,
      "The connection to the database at \(place) delivers more slowly than messages come: a probe behind them did not arrive "
        + "within \(ProbeSchedule.deliveringPatience). Subscribe to less, publish less or smaller messages, or give the program "
        + "a faster line.", isRetriable: true)
  }

  static func lost(_ failure: LineFailure, _ role: String, at place: String) -> BroadcastError {
    let state = if case .server(let state) = failure.cause { " (SQLSTATE \(state))" } else { "" }
    return BroadcastError(
      .unavailable, "The connection to the database at \(place) that \(role) was lost: \(failure.reason)\(state)",
      isRetriable: true)
  }

  static func sessionRefused(_ state: SQLState, _ reason: String) -> BroadcastError {
    var error = refused(state, reason, to: "publish")
    error.isRetriable = true
    error.outcome = nil
    return error
  }

  // MARK: Calls

  /// A transaction was refused: nothing of it has been sent.
  /// - Parameter channel: The one that it was about, where it was about a single one.
  static func refused(
    _ state: SQLState, _ reason: String, to verb: String, channel: Channel? = nil
  ) -> BroadcastError {
    let place = channel.map { " on \"\($0)\"" } ?? ""
    var text = "The database refused to \(verb)\(place): \(reason) (SQLSTATE \(state))"
    switch state {
    case .limitExceeded: text += fullQueue
    case .unknownStatement: text += pooler
    case .notPermitted: text += " Grant the user EXECUTE on pg_notify(text, text)."
    case .lockNotAvailable where verb == "publish": text += heldCommit
    case .queryCancelled: text += " Is there a statement_timeout for the user?"
    default: text += dataAdvice(state)
    }
    return BroadcastError(
      state.isRetriable ? .unavailable : .refused, text, isRetriable: state.isRetriable,
      outcome: verb == "publish" ? .notSent : nil)
  }

  private static func dataAdvice(_ state: SQLState) -> String {
    if state.concernsEncoding { return " The encoding of the database may lack a character of it; UTF8 has all." }
    if state != .wrongParameter { return "" }
    return
      " NOTIFY takes up to 7,999 bytes of text and 63 of a name, counted in the encoding of the database, in which they "
      + "may be longer than in UTF-8."
  }

  static func publishingTooLate(_ limit: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "The database did not confirm the message within \(limit). Try again.", isRetriable: true)
  }

  static func subscribingTooLate(_ limit: Duration) -> BroadcastError {
    BroadcastError(
      .timedOut, "The database did not confirm the subscription within \(limit). Try again.", isRetriable: true)
  }
}
