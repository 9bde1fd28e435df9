//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import CLibpq

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What libpq knows of connection parameters, of which it has its own rules: nothing of them is repeated here.
enum ConnectionInfo {
  /// An address that is none.
  private static let noAddress = "256.256.256.256"

  /// Reads a URL.
  ///
  /// - Throws: `invalidURL`. libpq's text may repeat the whole URL, or a password that was not encoded well, so only what
  ///   stands before that is used.
  static func parse(_ string: String, named url: BackendURL) throws(BroadcastError) -> [String: String] {
    var text: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(string, &text) else {
      defer { PQfreemem(text) }
      throw BroadcastError(.invalidURL, "The database's URL cannot be read: \(reason(text, in: url))")
    }
    defer { PQconninfoFree(options) }
    return values(of: options)
  }

  private static func reason(_ text: UnsafeMutablePointer<CChar>?, in url: BackendURL) -> String {
    let text = text.map { String(cString: $0) } ?? "libpq gives no reason"
    let parts = text.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
    let reason = parts[0].reversed().drop { ": \n".contains($0) }.reversed()
    // The name of a parameter is no secret, unless a password with a question mark seems to be one.
    let names =
      url.rest.contains("@") && !url.rest.prefix { $0 != "?" }.contains("@")
      ? []
      : url.rest.split(separator: "?").dropFirst().joined().split(separator: "&").compactMap {
        $0.split(separator: "=", omittingEmptySubsequences: false).first
      }
    let name = parts.count > 1 && names.contains(parts[1]) ? " \"\(parts[1])\"" : ""
    return "\(String(reason))\(name). See libpq's connection URIs, section 34.1.1.2 of PostgreSQL's manual."
  }

  /// Adds what libpq takes from the service file, the environment and its defaults, and checks all of it as libpq does.
  ///
  /// - Throws: `invalidURL` for a value that libpq refuses.
  static func resolve(_ parameters: [String: String]) throws(BroadcastError) -> [String: String] {
    // libpq resolves parameters when it connects, and not before. So it is asked to connect in a way that it refuses before
    // it does anything, once early, and once behind all other checks.
    let resolved = try refused(parameters.merging(["sslmode": "none of them"]) { $1 }) { connection, _ in
      guard let options = PQconninfo(connection) else { return [:] as [String: String] }
      defer { PQconninfoFree(options) }
      return values(of: options)
    }
    let elsewhere = ["host": "none", "hostaddr": noAddress, "port": PostgresHost.standardPort]
    return try refused(parameters.merging(elsewhere) { $1 }) { _, text throws(BroadcastError) in
      // Whatever the language, it names the address if that is what it stumbled over.
      guard text.contains(noAddress) else {
        throw BroadcastError(.invalidURL, "The database's URL cannot be used: \(ServerText(text).reason)")
      }
      return resolved
    }
  }

  private static func refused(
    _ parameters: [String: String],
    _ body: (OpaquePointer, String) throws(BroadcastError) -> [String: String]
  ) throws(BroadcastError) -> [String: String] {
    guard let connection = withArrays(parameters, { PQconnectStartParams($0, $1, 0) }) else {
      throw BroadcastError(.unavailable, "There is no memory for a connection to the database.", isRetriable: true)
    }
    defer { PQfinish(connection) }
    return try body(connection, PQerrorMessage(connection).map { String(cString: $0) } ?? "")
  }

  private static func values(of options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    return values
  }

  /// Calls `body` with the parameters as libpq wants them: two arrays that end with a null pointer.
  static func withArrays<Result>(
    _ parameters: [String: String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let names = parameters.keys.sorted()
    let copies = names.map { (name: strdup($0), value: strdup(parameters[$0] ?? "")) }
    defer {
      for copy in copies {
        free(copy.name)
        free(copy.value)
      }
    }
    return body(
      copies.map { UnsafePointer($0.name) } + [nil], copies.map { UnsafePointer($0.value) } + [nil])
  }
}
