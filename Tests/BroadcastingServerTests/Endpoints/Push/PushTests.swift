//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import Testing

@Suite("POST /push", .timeLimit(.minutes(1)))
struct PushTests {
  @Test(
    "subscribers get the message's JSON text as it came",
    arguments: [
      (#"{"message":"hi"}"#, #""hi""#),
      (#"{ "message" : { "b":1.00, "a" : [ 1e3,null ] } }"#, #"{ "b":1.00, "a" : [ 1e3,null ] }"#),
      (#"{"message":"\u00e9\ud83d\ude00\/"}"#, #""\u00e9\ud83d\ude00\/""#),
      (#"{"message":12345678901234567890123.0}"#, "12345678901234567890123.0"),
      (#"{"message":null,"channel":"events"}"#, "null"),
      (#"{"channel":"\u0065vents","message":false}"#, "false"),
    ])
  func json(body: String, message: String) async throws {
    try await withServer { server in
      let subscriber = try await server.subscriber()
      let pusher = try await server.connect()
      let answer = try #require(try await pusher.post(json: body))
      #expect(answer.status == .ok)
      #expect(answer.headers["Content-Type"] == "application/json")
      let got = await subscriber.receive()
      #expect(got == .text(message))
    }
  }

  @Test("the answer tells the channel and the text")
  func answer() async throws {
    try await withServer { server in
      let pusher = try await server.connect()
      let answer = try await pusher.post(json: #"{"channel":"c\"1","message":{"a":"b"}}"#)
      #expect(answer?.text == #"{"channel": "c\"1", "message": "{\"a\":\"b\"}"}"#)
    }
  }

  @Test("text and bytes are the message as they are")
  func raw() async throws {
    try await withServer { server in
      let subscriber = try await server.subscriber("/events?channel=events&channel=%C3%A9")
      let pusher = try await server.connect()
      let bytes = (0...255).map { UInt8($0) }
      #expect(
        try await pusher.post("/push?channel=%C3%A9", "text/plain; charset=utf-8", Array("\"é\"\n".utf8))?.status == .ok
      )
      #expect(await subscriber.receive() == .text("\"é\"\n"))
      #expect(try await pusher.post("/push", "Application/Octet-Stream", bytes)?.status == .ok)
      #expect(await subscriber.receive() == .binary(bytes))
      #expect(try await pusher.post("/push", "text/plain", [])?.status == .ok)
      #expect(await subscriber.receive() == .text(""))
      #expect(try await pusher.post("/push", "application/octet-stream", [])?.status == .ok)
      #expect(await subscriber.receive() == .binary([]))
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var body: String
    var status: Int
    var code: String
    var type: String? = "application/json"
    var target = "/push"
    var testDescription: String { "\(target) \(type ?? "-") \(body.prefix(60))" }
  }

  @Test(
    "what is no push is refused with its reason, and nothing is published",
    arguments: [
      Refusal(body: "", status: 400, code: "invalid_json"),
      Refusal(body: "{", status: 400, code: "invalid_json"),
      Refusal(body: "[]", status: 400, code: "not_an_object"),
      Refusal(body: "{}", status: 400, code: "missing_field"),
      Refusal(body: #"{"message":1,"chanel":"x"}"#, status: 400, code: "unknown_field"),
      Refusal(body: #"{"message":1,"message":2}"#, status: 400, code: "duplicate_field"),
      Refusal(body: #"{"message":1,"channel":7}"#, status: 400, code: "wrong_type"),
      Refusal(body: #"{"message":1,"channel":null}"#, status: 400, code: "wrong_type"),
      Refusal(body: #"{"message":1,"channel":""}"#, status: 400, code: "invalid_channel"),
      Refusal(body: #"{"message":1,"channel":"\u0000"}"#, status: 400, code: "invalid_channel"),
      Refusal(
        body: #"{"message":1,"channel":""# + String(repeating: "é", count: 128) + #""}"#, status: 400,
        code: "invalid_channel"),
      Refusal(body: #"{"message":"\ud800"}"#, status: 400, code: "invalid_json"),
      Refusal(body: #"{"message":1}"#, status: 415, code: "unsupported_media_type", type: nil),
      Refusal(
        body: "message=1", status: 415, code: "unsupported_media_type", type: "application/x-www-form-urlencoded"),
      Refusal(body: "x", status: 400, code: "invalid_channel", type: "text/plain", target: "/push?channel="),
      Refusal(
        body: "x", status: 400, code: "too_many_channels", type: "text/plain", target: "/push?channel=a&channel=b"),
      Refusal(
        body: "x", status: 400, code: "too_many_channels", type: "text/plain", target: "/push?channel=a&channel=a"),
      Refusal(body: "x", status: 400, code: "malformed", type: "text/plain", target: "/push?channel=%zz"),
      Refusal(body: "x", status: 400, code: "unknown_parameter", type: "text/plain", target: "/push?chanel=a"),
      Refusal(
        body: "x", status: 400, code: "unknown_parameter", type: "text/plain", target: "/push?channel=a&Channel=b"),
      Refusal(
        body: "x", status: 400, code: "unknown_parameter", type: "application/octet-stream", target: "/push?token=x"),
      Refusal(body: #"{"message":1}"#, status: 400, code: "misplaced_channel", target: "/push?channel=a"),
      Refusal(body: #"{"message":1,"channel":"a"}"#, status: 400, code: "misplaced_channel", target: "/push?channel=a"),
      Refusal(body: #"{"message":1}"#, status: 400, code: "unknown_parameter", target: "/push?chanel=a"),
      Refusal(body: #"{"message":1}"#, status: 400, code: "malformed", target: "/push?%zz"),
    ])
  func refusals(refusal: Refusal) async throws {
    try await withServer { server in
      let subscriber = try await server.subscriber()
      let pusher = try await server.connect()
      let answer = try #require(try await pusher.post(refusal.target, refusal.type, Array(refusal.body.utf8)))
      #expect(answer.status.code == refusal.status)
      let text = answer.text
      #expect(text.hasPrefix(#"{"error": {"code": "\#(refusal.code)", "message": ""#), "\(text)")
      // The connection goes on, and the first message that arrives is the next one.
      #expect(try await pusher.post(json: #"{"message":"next"}"#)?.status == .ok)
      #expect(await subscriber.receive() == .text("\"next\""))
      #expect(server.broadcast.statistics.published == 1)
    }
  }

  @Test(
    "several fields Content-Type are refused, also where they are the same",
    arguments: [("text/plain", "application/json"), ("application/json", "text/plain"), ("text/plain", "text/plain")])
  func severalTypes(first: String, second: String) async throws {
    try await withServer { server in
      let pusher = try await server.connect()
      let answer = try await pusher.post("/push", first, Array(#"{"message":1}"#.utf8), ["content-type": second])
      #expect(answer?.status == .badRequest)
      #expect(
        answer?.text.contains(#""malformed", "message": "There must be one Content-Type field; there are 2."#) == true)
      #expect(server.broadcast.statistics.published == 0)
    }
  }

  @Test("a refusal of a parameter names it, and what is known")
  func unknownParameter() async throws {
    try await withServer { server in
      let pusher = try await server.connect()
      let text = try await pusher.post("/push?chanel=a", "text/plain", [65])?.text
      #expect(text?.contains(#"unknown parameter \"chanel\". Known here: channel."#) == true)
      let json = try await pusher.post(json: #"{"message":1}"#, to: "/push?x")?.text
      #expect(json?.contains(#"unknown parameter \"x\". Known here: none."#) == true)
    }
  }

  @Test("parameters that the program knows are let through to its checks, with a push and with a socket")
  func otherParameters() async throws {
    try await withServer { configuration in
      configuration.endpoints.otherParameters = ["token"]
    } routes: { routes in
      routes.check { request in
        guard try request.query()["token"] == "t" else { throw RequestError(.unauthorized, "who", "Who?") }
      }
    } _: { server in
      let pusher = try await server.connect()
      let subscriber = try await server.subscriber("/events?token=t&channel=events")
      #expect(try await pusher.post("/push?channel=events&token=t", "text/plain", [65])?.status == .ok)
      #expect(await subscriber.receiveText() == "A")
      #expect(try await pusher.post(json: #"{"message":1}"#, to: "/push?token=t")?.status == .ok)
      #expect(await subscriber.receiveText() == "1")
      #expect(try await pusher.post(json: #"{"message":1}"#, to: "/push?token=t&x=1")?.status == .badRequest)
      #expect(try await pusher.post(json: #"{"message":1}"#)?.status == .unauthorized)
    }
  }

  @Test("text that is not UTF-8 is refused")
  func invalidText() async throws {
    try await withServer { server in
      let pusher = try await server.connect()
      let answer = try #require(try await pusher.post("/push", "text/plain", [0x61, 0xFF]))
      #expect(answer.status == .badRequest)
      #expect(answer.text.contains("invalid_text"))
      #expect(server.broadcast.statistics.published == 0)
    }
  }

  @Test("the limit of a message is exact, in JSON, text and bytes")
  func limit() async throws {
    try await withServer { configuration in
      configuration.limits.message = 1000
    } _: { server in
      let subscriber = try await server.subscriber()
      let pusher = try await server.connect()
      let text = String(repeating: "x", count: 998)
      let long = String(repeating: "\\u0061", count: 255)
      #expect(try await pusher.post(json: #"{"message":"\#(text)"}"#)?.status == .ok)
      let first = await subscriber.receiveText()
      #expect(first?.utf8.count == 1000)
      #expect(try await pusher.post(json: #"{"channel":"\#(long)","message":"\#(text)"}"#)?.status == .ok)
      #expect(try await pusher.post(json: #"{"message":"\#(text)y"}"#)?.status == .contentTooLarge)
      for type in ["text/plain", "application/octet-stream"] {
        #expect(try await pusher.post("/push", type, [UInt8](repeating: 65, count: 1000))?.status == .ok)
        let got = await subscriber.receive()
        #expect(got?.bytes.count == 1000)
        let answer = try await pusher.post("/push", type, [UInt8](repeating: 65, count: 1001))
        #expect(answer?.status == .contentTooLarge)
        #expect(answer?.text.contains("message_too_large") == true)
      }
      #expect(server.broadcast.statistics.published == 4)
    }
  }

  @Test("other methods and paths are answered as HTTP has it")
  func methods() async throws {
    try await withServer { server in
      let client = try await server.connect()
      let get = try await client.request(.get, "/push")
      #expect(get?.status == .methodNotAllowed)
      #expect(get?.headers["Allow"] == "OPTIONS, POST")
      let options = try await client.request(.options, "/push")
      #expect(options?.status == .noContent)
      #expect(options?.headers["Allow"] == "OPTIONS, POST")
      let page = try await client.request(.head, "/")
      #expect(page?.status == .ok)
      #expect(page?.body.isEmpty == true)
      #expect(page?.headers["Content-Length"] != "0")
      #expect(try await client.post(json: #"{"message":1}"#, to: "/push/")?.status == .ok)
      #expect(try await client.request(.get, "/nothing")?.status == .notFound)
      #expect(try await client.request(.get, "/events")?.status == .upgradeRequired)
      #expect(try await client.request(.get, "/events")?.headers["Upgrade"] == "websocket")
      #expect(try await client.request(.get, "/%zz")?.status == .badRequest)
      #expect(try await client.request(.get, "/health")?.status == .ok)
      #expect(try await client.upgrade("/push")?.status == .methodNotAllowed)
    }
  }
}
