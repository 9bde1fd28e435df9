//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb
import Testing

@testable import BroadcastingServer

@Suite("Frames of a request socket")
struct RequestFrameTests {
  private func target(_ members: String, limit: Int = 8_192) throws -> String {
    try RequestFrame(Array(#"{"method": "GET", \#(members)}"#.utf8)).target(limit: limit)
  }

  private func refusal(of text: String) -> RequestError? {
    do throws(RequestError) {
      let frame = try RequestFrame(Array(text.utf8))
      if let fault = frame.fault { return fault }
      _ = try frame.method()
      _ = try frame.target(limit: 100)
      return nil
    } catch {
      return error
    }
  }

  @Test("the url is the target, with what a URL cannot have encoded, and what is encoded as it is")
  func url() throws {
    #expect(try target(#""url": "/user/list/""#) == "/user/list/")
    #expect(try target(#""url": "/a%2Fb?x=%26&y=1+2""#) == "/a%2Fb?x=%26&y=1+2")
    #expect(try target(#""url": "/Jürgen \u00e9\n""#) == "/J%C3%BCrgen%20%C3%A9%0A")
    #expect(try target(#""url": "/users", "args": null"#) == "/users")
  }

  @Test("args are parameters of the query behind those of the url")
  func args() throws {
    #expect(try target(#""url": "/a", "args": {}"#) == "/a")
    #expect(try target(#""url": "/a", "args": {"token": "a b&c=d+é"}"#) == "/a?token=a%20b%26c%3Dd%2B%C3%A9")
    #expect(
      try target(
        #""url": "/a?x=1", "args": {"y": 1.50e3, "on": true, "off": false, "z": [1, "two", true], "none": []}"#)
        == "/a?x=1&y=1.50e3&on=true&off=false&z=1&z=two&z=true")
    #expect(try target(#""url": "/a", "args": {"left out": null, "é": ""}"#) == "/a?%C3%A9=")
    let query = try HTTPRequest(target: target(#""url": "/a", "args": {"é\"": "\\ /?#"}"#)).query()
    #expect(query["é\""] == "\\ /?#")
  }

  @Test("the body is the JSON of data as it stands there, and none where that is null or missing")
  func data() throws {
    func body(_ text: String) throws -> String? {
      try RequestFrame(Array(text.utf8)).body.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(try body(#"{"data" : { "n": 1.0e+2 , "s":"\u00e9" } , "url": "/"}"#) == #"{ "n": 1.0e+2 , "s":"\u00e9" }"#)
    #expect(try body(#"{"data": "text"}"#) == #""text""#)
    #expect(try body(#"{"data": 0}"#) == "0")
    #expect(try body(#"{"data": null}"#) == nil)
    #expect(try body("{}") == nil)
  }

  @Test(
    "what is no request is refused, with what was wrong",
    arguments: [
      ("nonsense", "invalid_json", "at byte"), ("", "invalid_json", "ends"), ("{}{}", "invalid_json", "at byte 2"),
      ("\u{feff}{}", "invalid_json", "byte order mark"),
      (#"{"method": "GET" "url": "/"}"#, "invalid_json", "',' or '}'"), (#"{"method": "GET","#, "invalid_json", "ends"),
      (String(repeating: "[", count: 600), "nested_too_deeply", "512"),
      ("[]", "not_an_object", "object"), ("1", "not_an_object", "object"),
      ("{}", "missing_field", "\"method\" and \"url\" are missing"),
      (#"{"url": "/"}"#, "missing_field", "\"method\" is missing"),
      (#"{"method": "GET"}"#, "missing_field", "\"url\" is missing"),
      (#"{"method": null, "url": "/"}"#, "missing_field", "\"method\" is missing"),
      (#"{"method": "GET", "url": "/", "method": "PUT"}"#, "duplicate_field", "\"method\" stands there twice"),
      (#"{"methd": "GET", "url": "/"}"#, "unknown_field", "\"methd\". Known are: method, url, args, data, event_name"),
      (#"{"method": 1, "url": "/"}"#, "wrong_type", "\"method\" must be a string"),
      (#"{"method": "GET", "url": ["/"]}"#, "wrong_type", "\"url\" must be a string"),
      (#"{"method": "GET", "url": "/", "event_name": 7}"#, "wrong_type", "\"event_name\" must be a string"),
      (#"{"method": "GET", "url": "/", "args": [1]}"#, "wrong_type", "\"args\" must be an object"),
      (#"{"method": "GET", "url": "/", "args": {"a": {}}}"#, "wrong_type", "\"a\" in \"args\""),
      (#"{"method": "GET", "url": "/", "args": {"a": [null]}}"#, "wrong_type", "\"a\" in \"args\""),
      (#"{"method": "GET", "url": "/", "args": {"a": 1, "a": 2}}"#, "duplicate_field", "an array"),
      (#"{"method": "get", "url": "/"}"#, "unknown_method", "capitals"),
      (#"{"method": "", "url": "/"}"#, "unknown_method", "no method"),
      (#"{"method": "GET", "url": "http://localhost/user"}"#, "invalid_url", "without scheme and host"),
      (#"{"method": "GET", "url": "user"}"#, "invalid_url", "a path"),
      (#"{"method": "GET", "url": ""}"#, "invalid_url", "a path"),
      (#"{"method": "GET", "url": "/a#b"}"#, "invalid_url", "fragment"),
    ])
  func refused(text: String, code: String, detail: String) throws {
    let error = try #require(refusal(of: text))
    #expect(error.status == .badRequest)
    #expect(error.code == code)
    #expect(error.message.contains(detail), "\(error.message)")
  }

  @Test("url and args together have the limit of a target")
  func limit() throws {
    #expect(try target(#""url": "/234", "args": {"a": 1}"#, limit: 8) == "/234?a=1")
    #expect { try target(#""url": "/234", "args": {"a": 12}"#, limit: 8) } throws: {
      ($0 as? RequestError)?.status == .uriTooLong && "\($0)".contains("have 9 bytes; 8 are allowed")
    }
  }

  @Test("many args, and a long url, cost no more than their length")
  func manyArguments() throws {
    let pairs = (0..<50_000).map { "\"a\($0)\": 1" }.joined(separator: ", ")
    let began = ContinuousClock.now
    let url = "/" + String(repeating: "x", count: 100_000)
    #expect(throws: RequestError.self) { try target("\"url\": \"\(url)\", \"args\": {\(pairs)}") }
    // By the square of that it would be minutes.
    #expect(ContinuousClock.now - began < .seconds(20))
  }

  @Test("whatever is sent, reading it ends with a request or an error")
  func fuzz() {
    let seed = Array(
      #"{"method": "PUT", "url": "/u/6/?a=%41", "args": {"t": ["x", 1, null]}, "data": {"a": []}, "event_name": "\u00e9"}"#
        .utf8)
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var text = seed
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<text.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: text[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: text.remove(at: at)
        default: text.insert(seed.randomElement(using: &generator) ?? 0, at: at)
        }
      }
      guard let frame = try? RequestFrame(text) else { continue }
      _ = try? frame.method()
      _ = frame.body
      if let target = try? frame.target(limit: 1_000) { #expect(target.utf8.allSatisfy(ASCII.isTarget)) }
      if let name = frame.eventName {
        #expect(Array(name).withUnsafeBufferPointer(JSONScanner.isText))
      }
    }
  }
}
