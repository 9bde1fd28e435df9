//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb
import Testing

@testable import BroadcastingServer

@Suite("Answers on a request socket")
struct AnswerFrameTests {
  private func text(
    _ response: HTTPResponse, of method: HTTPMethod = .get, limit: Int = 10_000, eventName: String? = nil
  ) throws -> String {
    let name = eventName.map { Array($0.utf8)[...] }
    return String(decoding: try AnswerFrame(response, to: name, of: method, limit: limit).frame, as: UTF8.self)
  }

  @Test("the body is JSON as it is, text as a string, nothing as null, all else in base64")
  func bodies() throws {
    #expect(
      try text(.json(Array("[1.0, 2]".utf8)), eventName: "\"e\"")
        == #"{"event_name": "e", "status": 200, "data": [1.0, 2]}"#)
    let problem = HTTPResponse.bytes(
      Array("{}".utf8), type: "Application/Problem+JSON ; charset=utf-8", status: .conflict)
    #expect(try text(problem) == #"{"status": 409, "data": {}}"#)
    #expect(try text(.text("a \"b\"\n")) == #"{"status": 200, "data": "a \"b\"\n"}"#)
    #expect(try text(HTTPResponse(body: Array("é".utf8))) == #"{"status": 200, "data": "é"}"#)
    #expect(try text(.empty()) == #"{"status": 204, "data": null}"#)
    #expect(
      try text(.bytes([0xff, 0], type: "image/png"))
        == #"{"status": 200, "data": {"type": "image/png", "base64": "/wA="}}"#)
    #expect(
      try text(.bytes([0xff], type: "text/plain"))
        == #"{"status": 200, "data": {"type": "text/plain", "base64": "/w=="}}"#)
    #expect(try text(.text("body"), of: .head) == #"{"status": 200, "data": null}"#)
    #expect(try text(HTTPResponse(status: .notModified, body: [65])) == #"{"status": 304, "data": null}"#)
  }

  @Test("fields that mean something to a program go along, in small letters")
  func headers() throws {
    let response = HTTPResponse.json(
      Array("1".utf8), status: .created,
      headers: [
        "Location": "/user/6", "Cache-Control": "no-store", "Set-Cookie": "secret=1", "X-Tag": "a", "x-tag": "\"b\"",
        "Connection": "close",
      ])
    #expect(
      try text(response)
        == #"{"status": 201, "data": 1, "headers": {"location": "/user/6", "x-tag": "a, \"b\""}}"#)
    let error = RequestError(.methodNotAllowed, "no", "It \"is\" not.", headers: ["Allow": "GET"])
    #expect(
      String(decoding: AnswerFrame(error, to: nil).frame, as: UTF8.self)
        == #"{"status": 405, "error": "no", "detail": "It \"is\" not.", "headers": {"allow": "GET"}}"#)
  }

  @Test("an answer that is too long, or not the JSON that it says, is an error that says so")
  func refused() throws {
    func refusal(of response: HTTPResponse) -> RequestError? {
      do throws(RequestError) {
        _ = try AnswerFrame(response, to: nil, of: .get, limit: 100)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal(of: .text(String(repeating: "x", count: 70))) == nil)
    for text in [String(repeating: "x", count: 101), String(repeating: "\u{1}", count: 50)] {
      let error = try #require(refusal(of: .text(text)))
      #expect(error.status == .internalServerError && error.code == "answer_too_long")
      #expect(error.message.contains("100 are allowed"))
    }
    #expect(refusal(of: .json(Array("{\"a\": }".utf8)))?.code == "broken_answer")
    #expect(refusal(of: .json(Array("1}, {".utf8)))?.code == "broken_answer")
  }
}
