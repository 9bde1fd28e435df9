//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Why a statement was not run, or not to its end. No text of it repeats a password.
public struct DatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The URL is none of a PostgreSQL database.
    case invalidURL
    /// ``Database/run()`` has not begun, or has ended.
    case notRunning
    /// The database can't be reached, or the connection was lost. A statement that was under way may have been run.
    case unavailable
    /// Too many wait for a connection, or one waited for too long.
    case busy
    /// A statement took longer than the limit. The server ends it within a second or two.
    case timedOut
    /// The task was cancelled. The server ends a statement that was under way within a second or two.
    case cancelled
    /// The database refused the statement: ``DatabaseError/sqlState`` says why.
    case refused
    /// The result is larger than the limit.
    case tooLarge
    /// What was asked can't be sent.
    case invalidParameter
    /// A row is not what it was to be decoded as.
    case undecodable
  }

  public let code: Code
  /// One sentence, for a log: it may name tables and columns, which clients should not hear of.
  public let message: String
  /// Set where the database refused (PostgreSQL's manual, appendix A).
  public var sqlState: SQLState?
  /// More of what the server says, with values of the row it is about.
  public var detail: String?
  /// The name of the constraint that a row does not keep.
  public var constraint: String?
  public var table: String?
  public var column: String?

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String {
    var text = message
    if let sqlState { text += " (SQLSTATE \(sqlState.code))" }
    if let constraint { text += " constraint=\(constraint)" }
    return text
  }

  static let ended = DatabaseError(.notRunning, "The database is not open: its run() has ended.")
  static let cancelled = DatabaseError(.cancelled, "The task was cancelled.")
}

/// A code of five characters that says what the database refused (PostgreSQL's manual, appendix A).
public struct SQLState: Hashable, Sendable {
  public let code: String

  public init(_ code: String) { self.code = code }

  public static let uniqueViolation = SQLState("23505")
  public static let foreignKeyViolation = SQLState("23503")
  public static let notNullViolation = SQLState("23502")
  public static let checkViolation = SQLState("23514")
  /// A text is none of the type it stands for, such as a uuid.
  public static let invalidTextRepresentation = SQLState("22P02")
  public static let valueTooLong = SQLState("22001")
  public static let numberOutOfRange = SQLState("22003")
  public static let serializationFailure = SQLState("40001")
  public static let deadlockDetected = SQLState("40P01")

  /// Of who was let in too early, or has to go: the server starts or stops.
  var isPassing: Bool { ["57P01", "57P02", "57P03", "53300"].contains(code) }
}
