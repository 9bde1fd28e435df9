//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A database's URL as libpq reads it, with what it adds of the service file, the environment and its own defaults.
struct PostgresURL: Sendable, CustomStringConvertible {
  /// What the URL itself says.
  let parameters: [String: String]
  /// The hosts in the order in which they are tried.
  let hosts: [PostgresHost]
  /// What else a session of this library is opened with.
  let additions: [String: String]
  /// How long connecting to one address may take, where the URL or the environment says so.
  let connectTimeout: Duration?
  private let database: String

  init(_ url: BackendURL) throws(BroadcastError) {
    try Self.checkCredentials(of: url)
    // libpq knows its schemes in lower case only.
    let parameters = try ConnectionInfo.parse("\(url.scheme)://\(url.rest)", named: url)
    let resolved = try ConnectionInfo.resolve(parameters)
    self.parameters = parameters
    hosts = try PostgresHost.list(
      names: resolved["host"], addresses: resolved["hostaddr"], ports: resolved["port"])
    connectTimeout = try Self.connectTimeout(resolved["connect_timeout"])
    additions = Self.additions(to: resolved)
    database = resolved["dbname"] ?? ""
  }

  static let encodingAdvice = "Write @ as %40 and / as %2F in a user and a password."

  /// What libpq would take for a host, a port or a database while it belongs to a password could stand in errors and logs.
  private static func checkCredentials(of url: BackendURL) throws(BroadcastError) {
    // For libpq the first @ before the first / ends user and password, also behind a question mark.
    let rest = url.rest[...]
    let end = rest.firstIndex { "@/".contains($0) }
    let hosts = if let end, rest[end] == "@" { rest[rest.index(after: end)...] } else { rest }
    guard !hosts.prefix(while: { $0 != "?" }).contains("@") else {
      throw BroadcastError(
        .invalidURL, "The database's URL has an @ more than the one between password and host. \(encodingAdvice)")
    }
  }

  /// libpq keeps to it only while it blocks. Its rules: whole seconds, not fewer than two; zero, less or nothing is no limit.
  private static func connectTimeout(_ text: String?) throws(BroadcastError) -> Duration? {
    guard let text, !text.isEmpty else { return nil }
    guard let seconds = Int32(text) else {
      throw BroadcastError(.invalidURL, "What stands for connect_timeout is no whole number of seconds.")
    }
    return seconds > 0 ? .seconds(max(seconds, 2)) : nil
  }

  private static func additions(to resolved: [String: String]) -> [String: String] {
    var additions: [String: String] = [:]
    // A line that is cut without a word is noticed by the probes. The system's own patience is two hours, and a connection
    // that waits for nothing would stay open at the server for so long.
    for (name, value) in ["keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3"]
    where resolved[name] == nil {
      additions[name] = value
    }
    if resolved["fallback_application_name"] == nil { additions["fallback_application_name"] = "swift-broadcast" }
    // What Kerberos asks of its servers it waits for, and what it has decrypted ahead nobody is told of. Whoever demands it
    // gets it.
    if resolved["gssencmode"] != "require" { additions["gssencmode"] = "disable" }
    // Text is UTF-8 here, whatever the database and the environment say.
    additions["client_encoding"] = "UTF8"
    return additions
  }

  /// What libpq is given for one address of one host.
  func parameters(for address: PostgresAddress) -> [String: String] {
    var all = parameters.merging(additions) { $1 }
    all["host"] = address.host
    all["hostaddr"] = address.hostAddress
    all["port"] = address.port
    return all
  }

  /// Where it is, without user and password.
  var description: String {
    let hosts = hosts.map(\.description).joined(separator: ",")
    return database.isEmpty ? hosts : "\(hosts)/\(database)"
  }
}
