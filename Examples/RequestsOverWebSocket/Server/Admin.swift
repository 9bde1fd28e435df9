//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Foundation

/// Who may delete: whoever has the token.
struct Admin: Sendable {
  private let token: [UInt8]

  /// - Parameter token: Nil for one that is made up now, and printed.
  init(token: String?) {
    let text = token ?? Self.random()
    self.token = Array(text.utf8)
    if token == nil {
      print("to delete something: ?token=\(text), or ADMIN_TOKEN=… of your own next time")
      fflush(nil)
    }
  }

  /// To be asked before a route: over HTTP the token stands in the query, in a frame among the `args`.
  func check(_ request: Request) throws(RequestError) {
    guard let given = try request.query()["token"] else {
      throw RequestError(
        .unauthorized, "token_missing",
        "This needs the token of the administrator: ?token=…, or {\"args\": {\"token\": …}}.",
        headers: ["WWW-Authenticate": "Token"])
    }
    guard isToken(Array(given.utf8)) else {
      throw RequestError(.forbidden, "wrong_token", "This is not the token that the server printed at its start.")
    }
  }

  /// Looks at every byte, so that the time it takes tells nothing of how much was right.
  private func isToken(_ given: [UInt8]) -> Bool {
    guard given.count == token.count else { return false }
    return zip(given, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func random() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
