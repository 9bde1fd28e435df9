//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb
import Testing

@testable import broadcast

@Suite("The schedule of publishing")
struct ScheduleTests {
  @Test("closed: a message goes out while fewer than so many are under way, and is stamped with the time")
  func closed() {
    let schedule = Schedule(pace: .closed(inFlight: 2), start: 100)
    #expect(schedule.decide(index: 0, underWay: 0, now: 150) == .publish(stamp: 150))
    #expect(schedule.decide(index: 9, underWay: 1, now: 160) == .publish(stamp: 160))
    #expect(schedule.decide(index: 9, underWay: 2, now: 170) == .hold)
  }

  @Test("open: a message goes out when it is due however many are under way, and is stamped with when it was due")
  func open() {
    let schedule = Schedule(pace: .open(perSecond: 1_000), start: 5_000_000)
    #expect(schedule.decide(index: 0, underWay: 0, now: 5_000_000) == .publish(stamp: 5_000_000))
    #expect(schedule.decide(index: 1, underWay: 0, now: 5_000_001) == .wait(until: 6_000_000))
    #expect(schedule.decide(index: 1, underWay: 99_999, now: 6_000_000) == .publish(stamp: 6_000_000))
    #expect(schedule.decide(index: 3, underWay: 0, now: 90_000_000) == .publish(stamp: 8_000_000))
  }

  @Test("open: nothing is lost by rounding in a long run")
  func longRun() {
    let schedule = Schedule(pace: .open(perSecond: 3), start: 0)
    #expect(schedule.decide(index: 3_000_000, underWay: 0, now: 0) == .wait(until: 1_000_000_000_000_000))
    #expect(schedule.decide(index: 1, underWay: 0, now: 0) == .wait(until: 333_333_333))
  }
}

@Suite("A text frame where it lies")
struct PlainFrameTests {
  private func frame(_ bytes: [UInt8]) -> (length: Int, payload: [UInt8])? {
    bytes.withUnsafeBytes { buffer in PlainFrame(buffer).map { ($0.length, Array($0.payload)) } }
  }

  @Test("a whole message is found, whatever follows", arguments: [0, 1, 125, 126, 127, 65_535])
  func whole(size: Int) throws {
    let payload = [UInt8](repeating: 0x61, count: size)
    let bytes = WebSocketFrame.encode(.text, payload)
    for rest in [[], [0x81], bytes] {
      let found = try #require(frame(bytes + rest))
      #expect(found.length == bytes.count)
      #expect(found.payload == payload)
    }
  }

  @Test("a frame that is cut anywhere is none", arguments: [3, 126, 300])
  func cut(size: Int) {
    let bytes = WebSocketFrame.encode(.text, [UInt8](repeating: 0x61, count: size))
    for count in 0..<bytes.count { #expect(frame(Array(bytes.prefix(count))) == nil, "\(count)") }
  }

  @Test("what is not one plain text is left to the decoder")
  func others() {
    let payload: [UInt8] = [0x61, 0x62]
    #expect(frame(WebSocketFrame.encode(.binary, payload)) == nil)
    #expect(frame(WebSocketFrame.encode(.text, payload, isFinal: false)) == nil)
    #expect(frame(WebSocketFrame.encode(.continuation, payload)) == nil)
    for opcode in [WebSocketOpcode.ping, .pong, .close] {
      #expect(frame(WebSocketFrame.encode(opcode, payload)) == nil)
    }
    #expect(frame(WebSocketFrame.encode(.text, [UInt8](repeating: 0x61, count: 65_536))) == nil)
    // A reserved bit, a mask, a length that isn't in its shortest form.
    #expect(frame([0xc1, 2, 0x61, 0x62]) == nil)
    #expect(frame([0x81, 0x82, 0, 0, 0, 0, 0x61, 0x62]) == nil)
    #expect(frame([0x81, 126, 0, 2, 0x61, 0x62]) == nil)
  }
}

@Suite("The server under load")
struct LoadTargetTests {
  private func target(_ url: String, headers: [HeaderField] = []) throws -> LoadTarget {
    var options = BenchOptions()
    options.target = url
    options.headers = headers
    return try LoadTarget(options)
  }

  @Test("requests go below the URL's path, with its query and the fields that were given")
  func requests() throws {
    let target = try target("http://h:81/b/?token=x", headers: [HeaderField(name: "Authorization", value: "Bearer y")])
    let publication = target.publication(of: Array("hi".utf8), to: "a b")
    #expect(publication.target == "/b/push?token=x&channel=a%20b")
    #expect(publication.headers["Host"] == "h:81")
    #expect(publication.headers["Authorization"] == "Bearer y")
    #expect(target.subscription(to: "c").request.target == "/b/events?token=x&channel=c")
    #expect(target.subscription(to: "c").request.headers["Authorization"] == "Bearer y")
  }

  @Test("without a scheme it is HTTP")
  func scheme() throws {
    #expect(try target("localhost:8080").subscription(to: "c").request.headers["Host"] == "localhost:8080")
  }

  @Test(
    "what is no URL of a server is refused with curl's exit code",
    arguments: [
      ("http://", .malformedURL), ("http://:80", .malformedURL), ("http://a:b", .malformedURL),
      ("memory://", .unknownScheme),
    ] as [(String, ExitCode)])
  func malformed(url: String, code: ExitCode) throws {
    let failure = try #require(throws: Failure.self) { try target(url) }
    #expect(failure.exitCode == code)
  }

  @Test("a request has the marker at the beginning of its body, and is right for the checker")
  func body() throws {
    let requests = try PublishRequests(to: target("http://h"), channels: ["x", "y"], size: 64)
    let marker = Marker(number: 3, stamp: 77)
    let bytes = requests.make(marker, channel: 1)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("POST /push?channel=y HTTP/1.1\r\n"))
    #expect(text.contains("\r\nContent-Length: 64\r\n\r\n#3,77#"))
    let payload = Payload(size: 64)
    let isRight = bytes.suffix(64).withUnsafeBytes {
      Payload.begins($0, with: payload.head(marker)) && payload.hasRightTail($0)
    }
    #expect(isRight)
  }

  @Test(
    "an answer that is none is told with its status and what it says",
    arguments: [(302, .redirected), (429, .refused), (503, .refused), (204, .strangeAnswer)] as [(Int, ExitCode)])
  func answers(status: Int, code: ExitCode) {
    let failure = Failure(
      answer: HTTPResponse(status: HTTPStatus(status), body: Array("why".utf8)), to: "POST /push")
    #expect(failure.exitCode == code)
    #expect(failure.message.hasPrefix("POST /push was answered \(status)"))
    #expect(failure.message.hasSuffix(": why"))
  }
}
