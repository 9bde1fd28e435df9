//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A server's answer that says no: the `underlying` error of a `BroadcastError` where there was one.
public struct ServerRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// The status code of HTTP.
  public let status: Int

  /// The server's short name of the fault, such as `channel_not_allowed`; nil for an answer that is not of the form which
  /// a server of this project gives, so of a proxy, or of another program.
  public let code: String?

  /// What the server says, cut at 500 characters.
  public let message: String?

  /// How long the server asks to be left alone, by the `Retry-After` of a 503 or a 429; nil where it does not ask. It is
  /// sent nothing for so long and up to a tenth longer, at least half a second, so that not all clients return at once.
  public let retryAfter: Duration?

  package init(status: Int, code: String? = nil, message: String? = nil, retryAfter: Duration? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }

  public var description: String {
    var text = "status \(status)"
    if let code { text += " \(code)" }
    if let message { text += ": \(message)" }
    return text
  }
}
