//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// How long a server wants to be left alone, by its answer (RFC 9110 section 10.2.3).
enum RetryAfter {
  /// A server that is wrong about its clock, or means it ill, must not switch a client off for ever.
  static let longest = Duration.seconds(3600)

  /// - Parameter now: The second since 1970, for an answer with a date that does not say when it was sent.
  /// - Returns: Nil where the answer does not say, or not so that it can be understood.
  static func pause(_ headers: HTTPHeaders, now: Int) -> Duration? {
    guard let text = headers["Retry-After"] else { return nil }
    if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), !text.isEmpty {
      return min(.seconds(Int(text) ?? .max / 2), longest)
    }
    guard let date = HTTPDate.parse(text) else { return nil }
    // By the server's own clock, if it tells it.
    let sent = headers["Date"].flatMap(HTTPDate.parse) ?? now
    return max(.zero, min(.seconds(date - sent), longest))
  }
}
