//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CPostgres

/// The URL of a PostgreSQL database, as libpq's manual has it (section 34.1.1.2, connection URIs).
struct DatabaseURL: Sendable {
  let text: String

  /// libpq's own words for what it can't read repeat some of it, and that may be the password: none of them is used.
  init(_ text: String) throws(DatabaseError) {
    let scheme = text.prefix { $0 != ":" }
    guard ["postgres", "postgresql"].contains(scheme), text.hasPrefix("\(scheme)://"), !text.utf8.contains(0) else {
      throw Self.invalid("it does not begin with postgres://")
    }
    // What stands behind an @ too many, or an @ behind a slash, would be taken for a host, and be named in errors.
    let rest = text.dropFirst(scheme.count + 3)
    let end = rest.firstIndex { "@/".contains($0) }
    let hosts = if let end, rest[end] == "@" { rest[rest.index(after: end)...] } else { rest }
    guard !hosts.prefix(while: { $0 != "?" }).contains("@") else {
      throw Self.invalid("user or password have an @ or a / that is not written as %40 or %2F")
    }
    guard let options = PQconninfoParse(text, nil) else { throw Self.invalid("libpq can't read it") }
    PQconninfoFree(options)
    self.text = text
  }

  private static func invalid(_ reason: String) -> DatabaseError {
    DatabaseError(
      .invalidURL,
      "The database's URL is none: \(reason). It has the form postgres://user:password@host:port/database, with @ / : ? # and % "
        + "in a user or a password written as %40 %2F %3A %3F %23 %25.")
  }

  /// Names and values for `PQconnectStartParams`: the URL stands in for the database's name, and what follows goes before it.
  var parameters: [(name: String, value: String)] {
    [
      ("dbname", text),
      // Text is UTF-8 here, whatever the environment says.
      ("client_encoding", "UTF8"),
      ("fallback_application_name", "swift-broadcast-examples"),
      // A line that is cut without a word: the system's own patience is two hours.
      ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
      // What Kerberos asks of its servers can't be waited for with a limit.
      ("gssencmode", "disable"),
    ]
  }
}
