//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Writing messages")
struct HTTPSerializerTests {
  private func text(
    _ response: HTTPResponse, answering method: HTTPMethod = .get, version: HTTPVersion = .http1_1,
    keepAlive: Bool = true, date: [UInt8]? = nil
  ) throws -> String {
    var output: [UInt8] = []
    try HTTPSerializer.append(
      response, answering: method, version: version, keepAlive: keepAlive, date: date, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test("a response has its status, fields, length and body")
  func plain() throws {
    #expect(
      try text(.text("hi", headers: ["X": "y"]), date: Array("now".utf8))
        == "HTTP/1.1 200 OK\r\nDate: now\r\nX: y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi"
    )
    #expect(try text(HTTPResponse(status: HTTPStatus(299))) == "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n")
    #expect(try text(HTTPResponse(body: [UInt8](repeating: 65, count: 1203))).contains("Content-Length: 1203\r\n"))
  }

  @Test("a response to HEAD keeps its length, and some have neither length nor body")
  func bodiless() throws {
    #expect(try text(.json(Array("{}".utf8)), answering: .head).hasSuffix("Content-Length: 2\r\n\r\n"))
    #expect(try text(.empty()) == "HTTP/1.1 204 No Content\r\n\r\n")
    #expect(
      try text(HTTPResponse(status: .notModified, body: [65])) == "HTTP/1.1 304 Not Modified\r\n\r\n")
    #expect(try text(HTTPResponse(status: .continue), version: .http1_0) == "HTTP/1.1 100 Continue\r\n\r\n")
    #expect(
      try text(HTTPResponse(status: .switchingProtocols, headers: ["Connection": "Upgrade"]), keepAlive: false)
        == "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")
  }

  @Test("whether the connection stays is said where it has to be")
  func connection() throws {
    #expect(try !text(.empty()).contains("Connection"))
    #expect(try text(.empty(), keepAlive: false).contains("\r\nConnection: close\r\n"))
    #expect(try text(.empty(), version: .http1_0).contains("\r\nConnection: keep-alive\r\n"))
    #expect(
      try text(HTTPResponse(headers: ["Connection": "Upgrade"]), keepAlive: false)
        .contains("\r\nConnection: Upgrade, close\r\n"))
    var output: [UInt8] = []
    #expect(try !HTTPSerializer.append(HTTPResponse(headers: ["connection": "Close"]), to: &output))
    #expect(String(decoding: output, as: UTF8.self).split(separator: "onnection").count == 2)
  }

  @Test("lengths that a handler gives are not believed")
  func ownLength() throws {
    let response = HTTPResponse(headers: ["Content-Length": "99", "Transfer-Encoding": "chunked"], body: [65])
    #expect(try text(response) == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA")
  }

  @Test(
    "nothing breaks out of its line",
    arguments: [
      ("X", "a\r\nSet-Cookie: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "\u{0}"), ("X", "\u{7f}"), ("X\r\nY", "a"),
      ("X:", "a"), ("", "a"), ("X Y", "a"), ("é", "a"), ("Content-Length", "1\r\n"),
    ])
  func injection(_ name: String, _ value: String) {
    var output: [UInt8] = [1, 2]
    var headers: HTTPHeaders = ["A": "b"]
    headers.append(name, value)
    #expect(throws: HTTPError.self) { try HTTPSerializer.append(HTTPResponse(headers: headers), to: &output) }
    #expect(output == [1, 2])
    #expect(throws: HTTPError.self) { try HTTPSerializer.append(HTTPRequest(headers: headers), to: &output) }
    #expect(output == [1, 2])
  }

  @Test("a target or method that would break its line is refused", arguments: ["", "/a b", "/\r\n", "/é", "/#"])
  func badTarget(_ target: String) {
    var output: [UInt8] = []
    #expect(throws: HTTPError.self) { try HTTPSerializer.append(HTTPRequest(target: target), to: &output) }
    let method = HTTPMethod(rawValue: target)
    #expect(throws: HTTPError.self) { try HTTPSerializer.append(HTTPRequest(method: method), to: &output) }
    #expect(output.isEmpty)
  }

  @Test("what is written is read as it was")
  func roundTrip() throws {
    let request = HTTPRequest(method: .post, target: "/a?b", headers: ["Host": "x", "A": "b"], body: [1, 2, 3])
    var output: [UInt8] = []
    try HTTPSerializer.append(request, to: &output)
    guard case .request(let read, true) = output.withUnsafeBytes({ HTTPRequestParser().read($0).event }) else {
      Issue.record("not read")
      return
    }
    #expect(read.body == request.body)
    #expect(read.target == request.target)
    #expect(read.headers == ["Host": "x", "A": "b", "Content-Length": "3"])
  }
}
