//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingClient

@Suite("What a server's answers mean")
struct ServerAnswersTests {
  private static func json(_ code: String) -> [UInt8] {
    Array(#"{"error": {"code": "\#(code)", "message": "words"}}"#.utf8)
  }

  private func error(_ response: HTTPResponse, _ question: ServerAnswers.Question = .push("a")) throws
    -> BroadcastError?
  {
    ServerAnswers(url: try ServerURL(BackendURL("http://host"))).error(response, to: question)
  }

  @Test(
    "a push that was not taken",
    arguments: [
      (400, "invalid_channel", BroadcastError.Code.invalidChannel, false, BroadcastError.Outcome.notSent),
      (400, "invalid_text", .invalidText, false, .notSent),
      (400, "unknown_parameter", .refused, false, .notSent),
      (401, "", .refused, false, .notSent), (403, "", .refused, false, .notSent), (404, "", .refused, false, .notSent),
      (405, "", .refused, false, .notSent), (408, "", .unavailable, true, .unconfirmed),
      (408, "request_timeout", .unavailable, true, .notSent),
      (413, "message_too_large", .messageTooLarge, false, .notSent), (413, "", .messageTooLarge, false, .notSent),
      (426, "", .refused, false, .notSent), (429, "", .unavailable, true, .notSent),
      (500, "internal_error", .unavailable, true, .unconfirmed), (501, "", .refused, false, .notSent),
      (502, "", .unavailable, true, .unconfirmed), (503, "", .unavailable, true, .unconfirmed),
      (503, "unavailable", .unavailable, true, .notSent), (503, "unconfirmed", .unavailable, true, .unconfirmed),
      (504, "", .unavailable, true, .unconfirmed), (301, "", .refused, false, .notSent),
      (204, "", .refused, false, .unconfirmed), (200, "", .refused, false, .unconfirmed),
      (201, "", .refused, false, .unconfirmed),
    ])
  func push(
    status: Int, code: String, expected: BroadcastError.Code, isRetriable: Bool, outcome: BroadcastError.Outcome
  ) throws {
    let response = HTTPResponse(status: HTTPStatus(status), body: code.isEmpty ? Array("<html>".utf8) : Self.json(code))
    let error = try #require(try error(response))
    #expect(error.code == expected)
    #expect(error.isRetriable == isRetriable)
    #expect(error.outcome == outcome)
    #expect((error.underlying as? ServerRefusal)?.status == status)
    #expect((error.underlying as? ServerRefusal)?.code == (code.isEmpty ? nil : code))
    #expect(error.message.contains("words") == !code.isEmpty)
  }

  @Test("a server without the endpoint of histories has none, and a stranger's 404 is something else")
  func withoutHistories() throws {
    let ours = HTTPResponse(status: .notFound, body: Self.json("not_found"))
    #expect(try error(ours, .history("a"))?.code == .unsupportedHistory)
    #expect(try error(ours, .history("a"))?.message.contains("It serves no histories") == true)
    #expect(try error(ours, .push("a"))?.code == .refused)
    let strange = HTTPResponse(status: .notFound, body: Array("<html>".utf8))
    #expect(try error(strange, .history("a"))?.code == .refused)
    let none = HTTPResponse(status: .notFound, body: Self.json("no_history"))
    #expect(try error(none, .history("a"))?.code == .unsupportedHistory)
  }

  @Test(
    "a push that was taken says its channel",
    arguments: [
      (#"{"channel": "a", "bytes": 1}"#, true), (#" { "channel":"\u0061", "message": "x"} "#, true),
      (#"{"channel": "b", "bytes": 1}"#, false), (#"{"bytes": 1, "channel": "a"}"#, false), ("", false), ("{}", false),
      ("[]", false), ("<html>", false), (#"{"channel": 1}"#, false), (#"{"channel""#, false),
    ])
  func confirmation(body: String, isTaken: Bool) throws {
    #expect((try error(HTTPResponse(body: Array(body.utf8))) == nil) == isTaken)
  }

  @Test("a probe is answered by 426 and the words of a server of ours")
  func probe() throws {
    #expect(try error(HTTPResponse(status: .upgradeRequired, body: Self.json("upgrade_required")), .probe) == nil)
    #expect(try error(HTTPResponse(status: .upgradeRequired), .probe)?.code == .refused)
    #expect(try error(HTTPResponse(status: .ok, body: Self.json("upgrade_required")), .probe)?.code == .refused)
    #expect(try error(HTTPResponse(status: .badGateway), .probe)?.isRetriable == true)
    #expect(try error(HTTPResponse(status: .badGateway), .probe)?.outcome == nil)
  }

  @Test("a handshake without Upgrade blames the proxy")
  func events() throws {
    let error = try error(HTTPResponse(status: .upgradeRequired, body: Self.json("upgrade_required")), .events("a"))
    #expect(error?.message.contains("does not pass on Upgrade") == true)
    #expect(error?.outcome == nil)
  }

  @Test("what a server says is cut, and steers no terminal")
  func words() throws {
    let words = "\u{1b}[2Jx\u{202e}" + String(repeating: "y", count: 10_000)
    let body =
      #"{"error": {"code": "a", "message": "\#(words.replacing("\u{1b}", with: "\\u001b"))", "more": [1]}, "x": null}"#
    let error = try #require(try error(HTTPResponse(status: .forbidden, body: Array(body.utf8))))
    let refusal = try #require(error.underlying as? ServerRefusal)
    #expect(refusal.message?.unicodeScalars.count == AnswerText.longest)
    #expect(refusal.message?.hasPrefix(" [2Jx y") == true)
    #expect(error.message.count < 1000)
  }

  @Test(
    "no JSON of an error is no error of ours",
    arguments: [
      "", "{", "{}", "[]", #"{"error": 1}"#, #"{"error": {}}"#, #"{"error": {"code": "a"}}"#,
      #"{"error": {"code": 1, "message": "b"}}"#, #"{"error": {"code": "a", "message": "b"}"#,
    ])
  func noError(body: String) { #expect(AnswerText.error(Array(body.utf8)) == nil) }

  @Test(
    "Retry-After is seconds or a date, and at most an hour",
    arguments: [
      (nil, nil, nil), ("0", nil, 0), ("7", nil, 7), ("99999", nil, 3600), ("99999999999999999999", nil, 3600),
      ("-1", nil, nil), ("1.5", nil, nil), ("soon", nil, nil), ("", nil, nil),
      ("Sun, 06 Nov 1994 08:49:37 GMT", nil, 37), ("Sunday, 06-Nov-94 08:49:37 GMT", nil, 37),
      ("Sun Nov  6 08:49:37 1994", nil, 37), ("Sun, 06 Nov 1994 07:49:37 GMT", nil, 0),
      ("Sun, 06 Nov 1994 18:49:37 GMT", nil, 3600), ("Sun, 06 Nov 1994 08:49:37", nil, nil),
      ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT", 7),
    ] as [(String?, String?, Int?)])
  func retryAfter(value: String?, date: String?, seconds: Int?) {
    var headers: HTTPHeaders = [:]
    if let value { headers.append("Retry-After", value) }
    if let date { headers.append("Date", date) }
    #expect(RetryAfter.pause(headers, now: 784_111_740) == seconds.map { .seconds($0) })
  }

  @Test("only what may be understood as a wish makes a pause of a 503 or a 429", arguments: [503, 429])
  func wish(status: Int) throws {
    func refusal(_ headers: HTTPHeaders) throws -> ServerRefusal? {
      let error = try error(HTTPResponse(status: HTTPStatus(status), headers: headers))
      #expect(error?.isRetriable == true)
      return error?.underlying as? ServerRefusal
    }
    #expect(try refusal([:])?.retryAfter == nil)
    #expect(try refusal(["Retry-After": "soon"])?.retryAfter == nil)
    #expect(try refusal(["Retry-After": "7"])?.retryAfter == .seconds(7))
  }

  @Test("a pause can become longer, not shorter")
  func pause() throws {
    var pause = ServerPause()
    let now = ContinuousClock.now
    #expect(pause.left(now: now) == nil)
    pause.begin(ServerRefusal(status: 503, retryAfter: .seconds(10)), now: now)
    let left = try #require(pause.left(now: now))
    pause.begin(ServerRefusal(status: 503, retryAfter: .seconds(2)), now: now)
    #expect(pause.left(now: now) == left)
    #expect(pause.left(now: now + .seconds(4)) == left - .seconds(4))
    #expect(pause.left(now: now + .seconds(11)) == nil)
    pause.begin(ServerRefusal(status: 503, retryAfter: .seconds(100)), now: now)
    #expect(try #require(pause.left(now: now)) >= .seconds(100))
  }

  @Test("clients that are told the same do not return at the same moment", arguments: [(1, 1500), (100, 110_000)])
  func spread(seconds: Int, mostMilliseconds: Int) {
    let now = ContinuousClock.now
    var pauses: Set<Duration> = []
    for _ in 1...50 {
      var pause = ServerPause()
      pause.begin(ServerRefusal(status: 503, retryAfter: .seconds(seconds)), now: now)
      pauses.insert(pause.left(now: now) ?? .zero)
    }
    #expect(pauses.count > 1)
    #expect(pauses.allSatisfy { $0 >= .seconds(seconds) && $0 <= .milliseconds(mostMilliseconds) })
  }

  @Test("no time is no pause")
  func noPause() {
    var pause = ServerPause()
    pause.begin(ServerRefusal(status: 503, retryAfter: .zero), now: .now)
    #expect(pause.left(now: .now) == nil)
  }

  @Test(
    "where it sends to is told without secrets",
    arguments: [
      ("https://user:secret@host/x?t=secret", " https://host/x,"), ("//user:secret@host/x?t=secret", " //host/x,"),
      ("//user:secret@host", " //host,"), ("/x?t=secret#secret", " /x,"),
    ])
  func location(value: String, told: String) throws {
    let error = try #require(try error(HTTPResponse(status: .found, headers: ["Location": value])))
    #expect(error.message.contains(told), "\(error.message)")
    #expect(!error.message.contains("secret"))
  }
}
