//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What the database says is wrong: five characters that mean the same in every language (PostgreSQL's manual, appendix A).
struct SQLState: Hashable, Sendable, CustomStringConvertible {
  let code: String

  init(_ code: String) { self.code = code }

  var description: String { code }

  /// The first two characters: the kind of condition.
  private var kind: Substring { code.prefix(2) }

  /// What a message holds is at fault: a character that the database's encoding does not have, or a length.
  var concernsData: Bool { kind == "22" }

  /// The session is of no more use.
  var endsSession: Bool {
    switch code {
    // Unknown prepared statement: there is another session behind the connection than before.
    case "26000", "57P01", "57P02", "57P03", "57P05": true
    default: kind == "08"
    }
  }

  /// Whether the same may succeed later. What is not known here costs some attempts and no more.
  var isRetriable: Bool {
    switch kind {
    // Not supported, wrong data, no right to log in, no such database or schema, no right or no such object.
    case "0A", "22", "28", "3D", "3F", "42": false
    default: true
    }
  }

  /// The encodings of client and database have no common form of a character, or bytes are none in that of the database.
  var concernsEncoding: Bool { code == "22P05" || code == "22021" }

  static let passwordRefused = SQLState("28P01")
  static let loginRefused = SQLState("28000")
  static let noSuchDatabase = SQLState("3D000")
  static let noSuchSchema = SQLState("3F000")
  static let noSuchFunction = SQLState("42883")
  static let notPermitted = SQLState("42501")
  static let tooManyConnections = SQLState("53300")
  static let cannotConnectNow = SQLState("57P03")
  static let readOnly = SQLState("25006")
  static let limitExceeded = SQLState("54000")
  /// NOTIFY says so of lengths.
  static let wrongParameter = SQLState("22023")
  static let unknownStatement = SQLState("26000")
  static let connectionFailure = SQLState("08006")
  static let statementExists = SQLState("42P05")
  static let queryCancelled = SQLState("57014")
  /// A lock was waited for until `lock_timeout`.
  static let lockNotAvailable = SQLState("55P03")
}
