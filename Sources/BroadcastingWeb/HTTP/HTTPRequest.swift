//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A request of HTTP/1.1 or 1.0.
public struct HTTPRequest: Sendable {
  public var method: HTTPMethod

  /// The request target as it stands in the request line, not decoded, such as `/push?channel=a%20b`.
  public var target: String

  public var version: HTTPVersion
  public var headers: HTTPHeaders

  /// The body, without what carried it: chunks are joined, trailer fields are dropped.
  public var body: [UInt8]

  public init(
    method: HTTPMethod = .get, target: String = "/", version: HTTPVersion = .http1_1, headers: HTTPHeaders = [:],
    body: [UInt8] = []
  ) {
    self.method = method
    self.target = target
    self.version = version
    self.headers = headers
    self.body = body
  }

  /// The path of the target, not decoded: what stands before the first `?`, without the scheme and authority which a
  /// proxy's form of the target has (RFC 9112 section 3.2.2). `/` where there is none, `*` for `OPTIONS *`.
  public var path: String {
    let parts = HTTPTarget(target)
    return parts.path.isEmpty ? "/" : String(parts.path)
  }

  /// The pairs of the query, decoded.
  ///
  /// - Throws: ``HTTPError/Code/malformed`` for a `%` without two hexadecimal digits and for what isn't UTF-8 once
  ///   decoded: a channel name must never turn into another one.
  public func query() throws(HTTPError) -> HTTPQuery {
    try HTTPQuery(encoded: HTTPTarget(target).query)
  }

  /// Host and port which the client asked for: of the target where that names them, else of the `Host` field
  /// (RFC 9112 section 3.2.2). Nil in a request of HTTP/1.0 without one.
  public var host: String? {
    HTTPTarget(target).authority.map(String.init) ?? headers["Host"]
  }

  /// Whether the request asks to go on as a WebSocket (RFC 6455 section 4.2.1). Other protocols in `Upgrade`, such as
  /// `h2c`, are none that we know, and a request with them is a plain one (RFC 9110 section 7.8).
  public var asksForWebSocket: Bool {
    headers.hasToken("websocket", in: "Upgrade") && headers.hasToken("upgrade", in: "Connection")
  }
}
