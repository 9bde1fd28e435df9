//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The answer to a request of a socket, as the text of a frame.
struct AnswerFrame: Sendable {
  let frame: [UInt8]

  /// As of the response: let go of when the frame is on its way.
  let lease: (any AnyObject & Sendable)?

  /// `{"event_name": …, "status": …, "data": …, "headers": {…}}`
  ///
  /// - Parameters:
  ///   - eventName: a JSON string in its quotes.
  ///   - method: of the request. An answer to HEAD has no body.
  ///   - limit: how long the frame may be, in bytes.
  /// - Throws: ``RequestError`` with 500 for an answer that is too long, or says that it is JSON and is not.
  init(
    _ response: HTTPResponse, to eventName: ArraySlice<UInt8>?, of method: HTTPMethod, limit: Int
  ) throws(RequestError) {
    let body = method == .head || response.status.forbidsBody ? [] : response.body
    guard body.count <= limit else { throw Self.tooLong(body.count, limit) }
    var frame: [UInt8] = []
    frame.reserveCapacity(body.count + body.count / 8 + (eventName?.count ?? 0) + 200)
    Self.begin(&frame, eventName, response.status)
    frame.append(contentsOf: ", \"data\": ".utf8)
    try Self.append(body, type: response.headers["Content-Type"], to: &frame)
    Self.append(response.headers, to: &frame)
    frame.append(.closeBrace)
    guard frame.count <= limit else { throw Self.tooLong(frame.count, limit) }
    self.frame = frame
    lease = response.lease
  }

  /// `{"event_name": …, "status": …, "error": …, "detail": …, "headers": {…}}`
  init(_ error: RequestError, to eventName: ArraySlice<UInt8>?) {
    var frame: [UInt8] = []
    Self.begin(&frame, eventName, error.status)
    frame.append(contentsOf: ", \"error\": ".utf8)
    JSONWriter.append(error.code, to: &frame)
    frame.append(contentsOf: ", \"detail\": ".utf8)
    JSONWriter.append(error.message, to: &frame)
    Self.append(error.headers, to: &frame)
    frame.append(.closeBrace)
    self.frame = frame
    lease = nil
  }

  private static func begin(_ frame: inout [UInt8], _ eventName: ArraySlice<UInt8>?, _ status: HTTPStatus) {
    frame.append(.openBrace)
    if let eventName {
      frame.append(contentsOf: "\"event_name\": ".utf8)
      frame.append(contentsOf: eventName)
      frame.append(contentsOf: ", ".utf8)
    }
    frame.append(contentsOf: "\"status\": \(status.code)".utf8)
  }

  private static func append(_ body: [UInt8], type: String?, to frame: inout [UInt8]) throws(RequestError) {
    if body.isEmpty { return frame.append(contentsOf: "null".utf8) }
    let media = Array((type ?? "text/plain").utf8.prefix { $0 != UInt8(ascii: ";") }).map(ASCII.lowercased)
    let name = String(decoding: ASCII.trimmed(media[...]), as: UTF8.self)
    if name == "application/json" || name.hasSuffix("+json") {
      // One that is not would break the frame for its reader.
      guard body.withUnsafeBufferPointer(JSONScanner.isText) else {
        throw RequestError(.internalServerError, "broken_answer", "The answer says that it is JSON, and is not.")
      }
      frame.append(contentsOf: body)
    } else if name.hasPrefix("text/"), String(validating: body, as: UTF8.self) != nil {
      body.withUnsafeBufferPointer { JSONWriter.append($0, to: &frame) }
    } else {
      frame.append(contentsOf: "{\"type\": ".utf8)
      JSONWriter.append(type ?? "application/octet-stream", to: &frame)
      frame.append(contentsOf: ", \"base64\": \"\(Base64.encode(body))\"}".utf8)
    }
  }

  /// Fields that only mean something to HTTP's own machinery, or that a browser keeps from the scripts of a page.
  private static let otherFields: Set<String> = [
    "cache-control", "connection", "content-length", "content-type", "date", "keep-alive", "set-cookie",
    "transfer-encoding", "upgrade", "vary",
  ]

  /// Names are in small letters, and the values of a name joined by commas, as in JavaScript.
  private static func append(_ headers: HTTPHeaders, to frame: inout [UInt8]) {
    var names: [String] = []
    for (name, _) in headers {
      let name = name.lowercased()
      if !otherFields.contains(name), !name.hasPrefix("sec-websocket-"), !names.contains(name) { names.append(name) }
    }
    for (index, name) in names.enumerated() {
      frame.append(contentsOf: (index == 0 ? ", \"headers\": {" : ", ").utf8)
      JSONWriter.append(name, to: &frame)
      frame.append(contentsOf: ": ".utf8)
      JSONWriter.append(headers.values(of: name).joined(separator: ", "), to: &frame)
    }
    if !names.isEmpty { frame.append(.closeBrace) }
  }

  private static func tooLong(_ bytes: Int, _ limit: Int) -> RequestError {
    RequestError(
      .internalServerError, "answer_too_long",
      "The answer has \(bytes) bytes; \(limit) are allowed on this socket. Ask for less at once, or over HTTP.")
  }
}
