//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import FoundationEssentials
import TestSupport
import Testing

@testable import BroadcastingServer

@Suite("The body of a push")
struct PushBodyTests {
  private func read(_ text: String) throws(PushError) -> (channel: String, message: String) {
    let bytes = Array(text.utf8)
    let body = try PushBody(parsing: bytes)
    return (body.channel, String(decoding: bytes[body.message], as: UTF8.self))
  }

  @Test(
    "channel and message are found, the message as it came",
    arguments: [
      (#"{"channel": "chat", "message": "hi"}"#, "chat", #""hi""#),
      (#"{"message":1.50,"channel":"chat"}"#, "chat", "1.50"),
      (#"{"message":null}"#, "events", "null"),
      (#" { "message" :  {"b": 1,"a":[ ]}  } "#, "events", #"{"b": 1,"a":[ ]}"#),
      (#"{"message":{"message":1,"message":2,"channel":3}}"#, "events", #"{"message":1,"message":2,"channel":3}"#),
      (#"{"ch\u0061nnel":"\u00e9\uD83D\uDE00","m\u0065ssage":"\n"}"#, "é😀", #""\n""#),
      (#"{"channel":"","message":0}"#, "", "0"),
      (#"{"message":123456789012345678901234567890}"#, "events", "123456789012345678901234567890"),
    ])
  func finds(text: String, channel: String, message: String) throws {
    let body = try read(text)
    #expect(Array(body.channel.utf8) == Array(channel.utf8))
    #expect(body.message == message)
  }

  @Test("any JSON is a message, and is kept byte for byte", arguments: JSONDocuments.valid)
  func keepsMessage(text: String) throws {
    let trimmed = Array(text.utf8.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed())
    for body in [
      #"{"message":\#(text)}"#, #"{"channel":"a","message": \#(text) }"#, #"{"message": \#(text),"channel":"a"}"#,
    ] {
      #expect(Array(try read(body).message.utf8) == trimmed)
    }
  }

  @Test("what is no JSON is no message", arguments: JSONDocuments.invalid)
  func refusesInvalid(text: String) {
    // A name and a number more may make one value of two that are none.
    let error = #expect(throws: PushError.self) { try read(#"{"message":\#(text),"channel":"a"}"#) }
    #expect(error?.code == .invalidJSON)
  }

  @Test(
    "what is wrong is told, and where",
    arguments: [
      ("", .invalidJSON, 0, "ends"), ("hello", .invalidJSON, 0, "'h'"),
      ("\u{feff}{}", .invalidJSON, 0, "byte order mark"),
      ("{}", .missingField, 2, "needs \"message\""), (#"{"channel":"a"}"#, .missingField, 15, "message"),
      ("[]", .notAnObject, 0, "object"), (" \"hi\"", .notAnObject, 1, "object"), ("null", .notAnObject, 0, "object"),
      (#"{"message":1,"chanel":"a"}"#, .unknownField, 13, "\"chanel\""),
      (#"{"Message":1}"#, .unknownField, 1, "\"Message\""),
      (#"{"":1}"#, .unknownField, 1, "\"\""), (#"{"message":1,"message":1}"#, .duplicateField, 13, "\"message\""),
      (#"{"channel":"a","channel":"a","message":1}"#, .duplicateField, 15, "\"channel\""),
      (#"{"message":1,"mess\u0061ge":1}"#, .duplicateField, 13, "\"message\""),
      (#"{"channel":1,"message":1}"#, .wrongType, 11, "must be a string"),
      (#"{"channel":null,"message":1}"#, .wrongType, 11, "must be a string"),
      (#"{"channel":["a"],"message":1}"#, .wrongType, 11, "must be a string"),
      (#"{"message":1}x"#, .invalidJSON, 13, "'x'"),
      (#"{"message":1"#, .invalidJSON, 12, "ends"), (#"{"message":1,}"#, .invalidJSON, 13, "'}'"),
      (#"{"channel":"\uD800","message":1}"#, .invalidJSON, 12, "surrogate"), ("[1", .invalidJSON, 2, "ends"),
    ] as [(String, PushError.Code, Int, String)])
  func tells(text: String, code: PushError.Code, offset: Int, words: String) throws {
    let error = try #require(throws: PushError.self) { try read(text) }
    #expect(error.code == code)
    #expect(error.offset == offset)
    #expect(error.message.contains(words), "\(error.message)")
    #expect(error.message.contains("at byte \(offset)"))
  }

  @Test("the body's own object counts as a level")
  func limitsNesting() throws {
    let inside = JSONScanner.maxNesting - 1
    func body(_ depth: Int) -> String {
      #"{"message":\#(String(repeating: "[", count: depth))\#(String(repeating: "]", count: depth))}"#
    }
    _ = try read(body(inside))
    let error = #expect(throws: PushError.self) { try read(body(inside + 1)) }
    #expect(error?.code == .nestedTooDeeply)
  }

  @Test("a field's name is not repeated at full length")
  func cutsNames() throws {
    let error = #expect(throws: PushError.self) { try read(#"{"\#(String(repeating: "x", count: 10_000))":1}"#) }
    #expect((error?.message.utf8.count ?? .max) < 300)
  }

  @Test("bodies broken at random are refused or read, as a plain reader says")
  func survivesBrokenBodies() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for round in 0..<10_000 {
      let text = #"{"channel":"chat","message":\#(JSONDocuments.random(using: &random, depth: 2))}"#
      let bytes = JSONDocuments.broken(Array(text.utf8), using: &random)
      let body: PushBody?
      do throws(PushError) { body = try PushBody(parsing: bytes) } catch { body = nil }
      guard let body else { continue }
      guard PlainJSONReader.accepts(bytes), PlainJSONReader.accepts(Array(bytes[body.message])) else {
        Issue.record("seed \(seed), round \(round): \(bytes) should be refused")
        return
      }
    }
  }

  @Test("the answer holds the message's text as a string")
  func answers() throws {
    let body = Array(#"{"channel": "a\"b", "message": {"text": "é\n"} }"#.utf8)
    let push = try PushBody(parsing: body)
    let answer = AnswerBody.pushed(channel: push.channel, message: body[push.message])
    #expect(String(decoding: answer, as: UTF8.self) == #"{"channel": "a\"b", "message": "{\"text\": \"é\\n\"}"}"#)
    let decoded = try JSONDecoder().decode([String: String].self, from: Data(answer))
    #expect(decoded == ["channel": "a\"b", "message": #"{"text": "é\n"}"#])
  }

  @Test("an error is told as code and message")
  func answersErrors() {
    let answer = AnswerBody.error(code: PushError.Code.unknownField.description, message: "unknown field \"x\"")
    #expect(
      String(decoding: answer, as: UTF8.self)
        == #"{"error": {"code": "unknown_field", "message": "unknown field \"x\""}}"#)
  }
}
