//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CLibpq

/// What a result of libpq says of an error, field by field (PostgreSQL's manual, `PQresultErrorField`).
struct ServerWords {
  let state: SQLState
  /// One sentence.
  let reason: String

  // `PG_DIAG_SQLSTATE`, `PG_DIAG_MESSAGE_PRIMARY` and `PG_DIAG_SEVERITY_NONLOCALIZED`: characters, which Swift does not
  // import as such.
  private static let sqlState: Unicode.Scalar = "C"
  private static let primaryMessage: Unicode.Scalar = "M"
  private static let severity: Unicode.Scalar = "V"

  init(of result: OpaquePointer?) {
    // Without a code it is libpq that speaks, of a connection which broke.
    state = Self.field(Self.sqlState, of: result).map { SQLState($0) } ?? .connectionFailure
    reason = ServerText.sentence(Self.field(Self.primaryMessage, of: result) ?? "The connection was lost.")
  }

  /// Whether the server ends the session with them.
  static func areLast(_ result: OpaquePointer?) -> Bool {
    ["FATAL", "PANIC"].contains(field(severity, of: result) ?? "")
  }

  private static func field(_ code: Unicode.Scalar, of result: OpaquePointer?) -> String? {
    PQresultErrorField(result, CInt(code.value)).map { String(cString: $0) }
  }
}
