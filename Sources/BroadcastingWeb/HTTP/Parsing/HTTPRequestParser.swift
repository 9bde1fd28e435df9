//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Reads requests from the bytes of a connection, with no socket in it: bytes in, requests out.
///
/// It takes no byte behind a request, so pipelined requests, or frames that came early, stay with the caller. It serves
/// one connection until an error or an upgrade, and isn't used behind either.
package final class HTTPRequestParser {
  package enum Event: Sendable {
    /// Everything was taken, and more is needed.
    case needsMore

    /// The head is complete, and the client waits for `100 Continue` before it sends the body (RFC 9110
    /// section 10.1.1). Read on with the bytes behind; where there are some, the client didn't wait.
    case expectsContinue

    /// A whole request. With `keepAlive` false the connection ends behind its response.
    case request(HTTPRequest, keepAlive: Bool)

    /// The connection ends behind a response that says this. Reading on gives the same.
    case failed(HTTPError)
  }

  private let reader: MessageReader
  private var failure: HTTPError?

  /// The request whose body is being read, still without it.
  private var pending: HTTPRequest?

  package init(limits: HTTPLimits = HTTPLimits()) {
    reader = MessageReader(.request, limits)
  }

  /// Whether no byte of a next request has come yet: the connection may stay like this for long.
  package var isIdle: Bool { pending == nil && reader.isIdle }

  /// Takes bytes as far as the next event, and tells how many those were.
  package func read(_ bytes: UnsafeRawBufferPointer) -> (consumed: Int, event: Event) {
    if let failure { return (0, .failed(failure)) }
    do throws(HTTPError) {
      return try next(bytes)
    } catch {
      var error = error
      // Its head is complete: no other error comes with one that is known to be right.
      if error.code == .bodyTooLarge { error.request = pending ?? (try? makeRequest())?.request }
      failure = error
      pending = nil
      return (0, .failed(error))
    }
  }

  private func next(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) -> (consumed: Int, event: Event) {
    var total = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[total...])
      let (consumed, progress) = try reader.read(rest)
      total += consumed
      switch progress {
      case .incomplete: return (total, .needsMore)
      case .head:
        let (request, expectsContinue) = try makeRequest()
        pending = request
        if expectsContinue { return (total, .expectsContinue) }
      case .message:
        var request = if let pending { pending } else { try makeRequest().request }
        pending = nil
        let keepAlive = reader.keepsAlive
        request.body = reader.takeBody()
        return (total, .request(request, keepAlive: keepAlive))
      }
    }
  }

  /// The request of a head which has just ended.
  private func makeRequest() throws(HTTPError) -> (request: HTTPRequest, expectsContinue: Bool) {
    let scanner = reader.scanner
    let headers = HTTPHeaders(block: scanner.head, fields: scanner.fields)
    let rules = try RequestRules(headers, scanner.version)
    let request = HTTPRequest(
      method: HTTPMethod(rawValue: String(decoding: scanner.head[..<scanner.methodEnd], as: UTF8.self)),
      target: String(decoding: scanner.head[scanner.target], as: UTF8.self),
      version: scanner.version,
      headers: headers)
    guard HTTPTarget.isAnswerable(request.target, request.method) else {
      throw HTTPError(.malformed, "The request target must be a path such as /push.")
    }
    if rules.hasUpgrade, request.asksForWebSocket {
      guard request.method == .get, request.version == .http1_1, !reader.hasBody else {
        throw HTTPError(.malformed, "A WebSocket begins with a GET of HTTP/1.1 without a body.")
      }
    }
    return (request, rules.expectsContinue)
  }
}
