//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Writes messages as bytes. What would break a line, and so could smuggle in a field or a message, is refused.
package enum HTTPSerializer {
  /// Appends a response.
  ///
  /// `Content-Length` and `Connection` are written here. A response to HEAD keeps its length and loses its body; one of
  /// 1xx, 204 or 304 has neither (RFC 9112 section 6.3).
  ///
  /// - Parameters:
  ///   - method: The method of the request that is answered.
  ///   - version: The version of the request, which decides whether keeping the connection has to be said.
  ///   - keepAlive: Whether the connection may stay; `Connection: close` in the response's headers goes before it.
  ///   - date: The value of the `Date` field where the response has none of its own; nil to write none.
  /// - Returns: Whether the connection stays behind the response.
  /// - Throws: ``HTTPError/Code/unsendable``; `output` is then as it was.
  @discardableResult
  package static func append(
    _ response: HTTPResponse, answering method: HTTPMethod = .get, version: HTTPVersion = .http1_1,
    keepAlive: Bool = true, date: [UInt8]? = nil, to output: inout [UInt8]
  ) throws(HTTPError) -> Bool {
    let status = response.status
    let isInterim = status.code < 200
    let stays = isInterim || (keepAlive && !response.headers.hasToken("close", in: "Connection"))
    let start = output.count
    // Only where it is the first: Array would give up growing by doubling.
    if output.isEmpty {
      output.reserveCapacity(128 + response.headers.block.count + response.headers.count * 4 + response.body.count)
    }
    output.append("HTTP/1.1 ")
    output.append(decimal: status.code)
    output.append(ASCII.space)
    output.append(contentsOf: status.reason.utf8)
    output.append("\r\n")
    if let date, response.headers["Date"] == nil {
      output.append("Date: ")
      output.append(contentsOf: date)
      output.append("\r\n")
    }
    do throws(HTTPError) {
      try appendFields(of: response.headers, withConnection: isInterim || stays, to: &output)
    } catch {
      output.removeSubrange(start...)
      throw error
    }
    if !stays {
      appendClosing(response.headers, to: &output)
    } else if version == .http1_0, !isInterim {
      output.append("Connection: keep-alive\r\n")
    }
    if !status.forbidsBody {
      output.append("Content-Length: ")
      output.append(decimal: response.body.count)
      output.append("\r\n")
    }
    output.append("\r\n")
    if !status.forbidsBody, method != .head { output.append(contentsOf: response.body) }
    return stays
  }

  /// Appends a request, with `Content-Length` where it has a body or is of a method that has one by its meaning
  /// (RFC 9110 section 8.6). Its `Host` is the caller's to give.
  ///
  /// - Throws: ``HTTPError/Code/unsendable``; `output` is then as it was.
  package static func append(_ request: HTTPRequest, to output: inout [UInt8]) throws(HTTPError) {
    guard !request.method.rawValue.isEmpty, request.method.rawValue.utf8.allSatisfy(ASCII.isToken) else {
      throw HTTPError(.unsendable, "The method of a request must be a token such as GET.")
    }
    guard !request.target.isEmpty, request.target.utf8.allSatisfy(ASCII.isTarget) else {
      throw HTTPError(.unsendable, "A request target must be visible ASCII; encode other bytes with %.")
    }
    let start = output.count
    if output.isEmpty {
      output.reserveCapacity(128 + request.target.utf8.count + request.headers.block.count + request.body.count)
    }
    output.append(contentsOf: request.method.rawValue.utf8)
    output.append(ASCII.space)
    output.append(contentsOf: request.target.utf8)
    output.append(ASCII.space)
    output.append(request.version.text)
    output.append("\r\n")
    do throws(HTTPError) {
      try appendFields(of: request.headers, withConnection: true, to: &output)
    } catch {
      output.removeSubrange(start...)
      throw error
    }
    if !request.body.isEmpty || [.post, .put, .patch].contains(request.method) {
      output.append("Content-Length: ")
      output.append(decimal: request.body.count)
      output.append("\r\n")
    }
    output.append("\r\n")
    output.append(contentsOf: request.body)
  }

  private static func appendFields(
    of headers: HTTPHeaders, withConnection: Bool, to output: inout [UInt8]
  ) throws(HTTPError) {
    for field in headers.fields {
      let name = headers.bytes(field.name)
      let value = headers.bytes(field.value)
      guard !name.isEmpty, name.allSatisfy(ASCII.isToken), value.allSatisfy(ASCII.isFieldValue) else {
        throw HTTPError(
          .unsendable,
          "The header field \(String(decoding: name, as: UTF8.self).debugDescription) has a byte in its "
            + "name or value that would break its line, such as CR, LF or NUL.")
      }
      if isOurs(name, withConnection: withConnection) { continue }
      output.append(contentsOf: name)
      output.append(": ")
      output.append(contentsOf: value)
      output.append("\r\n")
    }
  }

  /// Whether a field is the serializer's to write.
  private static func isOurs(_ name: ArraySlice<UInt8>, withConnection: Bool) -> Bool {
    switch name.count {
    case 10: !withConnection && ASCII.isSame(name, "connection")
    case 14: ASCII.isSame(name, "content-length")
    case 17: ASCII.isSame(name, "transfer-encoding")
    default: false
    }
  }

  /// `close`, beside other options of the response, such as the `Upgrade` of a 426.
  private static func appendClosing(_ headers: HTTPHeaders, to output: inout [UInt8]) {
    output.append("Connection: ")
    for option in headers.tokens(of: "Connection")
    where !ASCII.isSame(option, "close") && !ASCII.isSame(option, "keep-alive") {
      output.append(contentsOf: option)
      output.append(", ")
    }
    output.append("close\r\n")
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends a number that isn't negative, without a `String` in between.
  fileprivate mutating func append(decimal number: Int) {
    let start = count
    var rest = number
    repeat {
      append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }
}
