//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// Lets pages of other origins, which were allowed, ask an endpoint and read what it answers: the HTTP CORS protocol
/// (Fetch standard, section 3.2, https://fetch.spec.whatwg.org/#http-cors-protocol).
extension ClientRules {
  /// Answers a browser that asks whether a page of another origin may use an endpoint. It asks without what the page itself would
  /// send along, such as a token: this is not to be left to checks of the program.
  ///
  /// - Returns: nil for a request that does not ask this, or comes from a page of the same origin.
  /// - Throws: ``RequestError`` with 403 for a page that may not.
  func answerPreflight(_ request: Request, to method: HTTPMethod) throws(RequestError) -> HTTPResponse? {
    let headers = request.http.headers
    guard request.http.method == .options, headers["Origin"] != nil, headers["Access-Control-Request-Method"] != nil
    else { return nil }
    try request.checkOrigin()
    guard sharedOrigin(of: request.http) != nil else { return nil }
    return .empty(headers: [
      "Allow": Self.allow(method),
      "Access-Control-Allow-Methods": method.rawValue,
      // What JSON and bytes need. For plain text browsers do not ask.
      "Access-Control-Allow-Headers": "content-type",
      // Seconds for which they do not ask again.
      "Access-Control-Max-Age": "600",
    ])
  }

  /// The field `Allow` of an endpoint that takes this method.
  static func allow(_ method: HTTPMethod) -> String {
    method == .get ? "GET, HEAD, OPTIONS" : "OPTIONS, \(method.rawValue)"
  }

  /// The answer with leave to read it, where the request comes from an allowed page of another origin. An answer that
  /// refuses has it too, for the page shall know why.
  func share(_ response: HTTPResponse, with request: HTTPRequest) -> HTTPResponse {
    guard let origin = sharedOrigin(of: request) else { return response }
    var response = response
    response.headers.append("Access-Control-Allow-Origin", origin)
    // Scripts see only few of an answer's headers by themselves.
    if response.headers["Retry-After"] != nil {
      response.headers.append("Access-Control-Expose-Headers", "Retry-After")
    }
    // Another page gets another answer.
    response.headers.append("Vary", "Origin")
    return response
  }

  private func sharedOrigin(of request: HTTPRequest) -> String? {
    let fields = request.headers.values(of: "Origin")
    // Several were refused, and none of them is told why.
    return fields.count == 1 ? origins.sharedOrigin(fields[0], host: request.host) : nil
  }
}
