//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A response of HTTP/1.1.
///
/// Its length, and whether the connection stays, are written by whoever sends it: `Content-Length` and
/// `Transfer-Encoding` in ``headers`` are ignored. `Connection: close` ends the connection behind the response.
public struct HTTPResponse: Sendable {
  public var status: HTTPStatus
  public var headers: HTTPHeaders
  public var body: [UInt8]

  /// Let go of when all has been handed to the kernel, or the connection has ended: for who counts what is on its way.
  package var lease: (any AnyObject & Sendable)?

  public init(status: HTTPStatus = .ok, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A response without a body.
  public static func empty(_ status: HTTPStatus = .noContent, headers: HTTPHeaders = [:]) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers)
  }

  /// Plain text in UTF-8.
  public static func text(_ text: String, status: HTTPStatus = .ok, headers: HTTPHeaders = [:]) -> HTTPResponse {
    bytes(Array(text.utf8), type: "text/plain; charset=utf-8", status: status, headers: headers)
  }

  /// A page in UTF-8.
  public static func html(_ html: String, status: HTTPStatus = .ok, headers: HTTPHeaders = [:]) -> HTTPResponse {
    bytes(Array(html.utf8), type: "text/html; charset=utf-8", status: status, headers: headers)
  }

  /// Bytes that are a JSON text already; nothing checks that they are.
  public static func json(_ json: [UInt8], status: HTTPStatus = .ok, headers: HTTPHeaders = [:]) -> HTTPResponse {
    if headers.isEmpty { return HTTPResponse(status: status, headers: jsonHeaders, body: json) }
    return bytes(json, type: "application/json", status: status, headers: headers)
  }

  /// Made once: the usual answer of an interface.
  private static let jsonHeaders: HTTPHeaders = ["Content-Type": "application/json"]

  /// Bytes of any media type. A `Content-Type` in `headers` goes before `type`.
  public static func bytes(
    _ bytes: [UInt8], type: String, status: HTTPStatus = .ok, headers: HTTPHeaders = [:]
  ) -> HTTPResponse {
    var headers = headers
    if headers["Content-Type"] == nil { headers.append("Content-Type", type) }
    return HTTPResponse(status: status, headers: headers, body: bytes)
  }
}
