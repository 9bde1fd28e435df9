//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingWeb

@Suite("Headers and queries")
struct HTTPMessageTests {
  @Test("names are compared without regard to case, values keep their order")
  func headers() {
    var headers: HTTPHeaders = ["Accept": "a", "X": "1", "accept": "b"]
    #expect(headers["ACCEPT"] == "a")
    #expect(headers.values(of: "Accept") == ["a", "b"])
    #expect(headers.count == 3)
    #expect(headers.map(\.name) == ["Accept", "X", "accept"])
    headers["accept"] = "c"
    #expect(headers == ["x": "1", "Accept": "c"])
    headers["x"] = nil
    #expect(headers == ["ACCEPT": "c"])
    #expect(headers != ["ACCEPT": "d"])
    #expect(headers["["] == nil)
  }

  @Test("names that differ in a bit of something else than a letter are different")
  func notLetters() {
    #expect(HTTPHeaders(dictionaryLiteral: ("a@", "1"))["a`"] == nil)
    #expect(HTTPHeaders(dictionaryLiteral: ("a[", "1"))["a{"] == nil)
  }

  @Test("tokens are found in lists over several fields")
  func tokens() {
    let headers: HTTPHeaders = ["Connection": "keep-alive,, Foo ", "connection": "\tUpgrade"]
    #expect(headers.hasToken("upgrade", in: "Connection"))
    #expect(headers.hasToken("foo", in: "Connection"))
    #expect(!headers.hasToken("keep", in: "Connection"))
  }

  @Test("a query is decoded: +, %, repeated and empty names")
  func query() throws {
    let query = try HTTPRequest(target: "/p?channel=a%20b+c%2B&channel=%C3%A9&&flag&=x&a=b=c").query()
    #expect(query.values(of: "channel") == ["a b c+", "é"])
    #expect(query["flag"] == "")
    #expect(query[""] == "x")
    #expect(query["a"] == "b=c")
    #expect(query["nothing"] == nil)
    #expect(query.count == 5)
    #expect(try HTTPRequest(target: "/p").query().isEmpty)
    #expect(try HTTPRequest(target: "/p?a=b?c").query()["a"] == "b?c")
  }

  @Test("names that look alike but are other bytes are others")
  func canonicalEquivalence() throws {
    let query = try HTTPRequest(target: "/?e%CC%81=1").query()
    #expect(query["\u{e9}"] == nil)
    #expect(query["e\u{301}"] == "1")
  }

  @Test(
    "what can't be decoded is refused", arguments: ["%", "%4", "%zz", "%+1", "%FF", "%C3", "%ED%A0%80", "a=%C0%80"])
  func badQuery(_ query: String) {
    #expect(throws: HTTPError.self) { try HTTPRequest(target: "/?\(query)").query() }
  }

  @Test("a status out of range becomes 500")
  func status() {
    #expect(HTTPStatus(42).code == 500)
    #expect(HTTPStatus(1000).code == 500)
    #expect(HTTPStatus(299).description == "299")
    #expect(HTTPStatus.notFound.description == "404 Not Found")
  }
}
