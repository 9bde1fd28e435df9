//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

@testable import broadcast

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The log")
struct LogTests {
  private func line(_ fields: LogLine.Field..., as format: LogFormat) -> String {
    let line = LogLine(time: 1_769_848_200_007, level: .info, event: "listening", fields: fields)
    return String(decoding: line.bytes(as: format), as: UTF8.self)
  }

  @Test("a line of text has time, level, event and fields")
  func text() {
    #expect(
      line(.init("address", "http://127.0.0.1:8080"), .init("loops", 2), .init("page", true), as: .text)
        == "2026-01-31T08:30:00.007Z info listening address=http://127.0.0.1:8080 loops=2 page=true\n")
  }

  @Test("a line of JSON has the same")
  func json() {
    #expect(
      line(.init("address", "a\"b"), .init("loops", -2), .init("page", false), as: .json)
        == #"{"time":"2026-01-31T08:30:00.007Z","level":"info","event":"listening","address":"a\"b","loops":-2,"page":false}"#
        + "\n")
  }

  @Test(
    "a value that could pass for more than one is quoted",
    arguments: [
      ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#), ("a\nb", #""a\nb""#),
      ("a\u{1b}[31m", #""a\u001b[31m""#),
      ("é", #""é""#), ("a/b:c,d", "a/b:c,d"),
    ])
  func quotes(value: String, written: String) {
    #expect(line(.init("x", .text(value)), as: .text).hasSuffix(" x=\(written)\n"))
  }

  @Test("a long value is cut between characters", arguments: [LogFormat.text, .json])
  func cuts(format: LogFormat) {
    for pad in 0..<4 {
      let value =
        String(repeating: "x", count: pad) + String(repeating: "😀", count: 10_000)
        + String(repeating: "e\u{301}", count: 9)
      let written = line(.init("x", .text(value)), .init("y", 1), as: format)
      #expect(written.contains("😀…"))
      #expect(!written.contains("\u{fffd}"))
      #expect(written.contains("y"))
      #expect(written.utf8.count < LogLine.maxText + 200)
    }
    let oneCharacter = "e" + String(repeating: "\u{301}", count: 10_000)
    #expect(line(.init("x", .text(oneCharacter)), as: format).utf8.count < LogLine.maxText + 200)
  }

  @Test("a line fits into one write to a pipe, whatever its fields", arguments: [LogFormat.text, .json])
  func fits(format: LogFormat) {
    let fields = (0..<50).map { LogLine.Field("f\($0)", .text(String(repeating: "\u{1}", count: 100 * $0))) }
    let bytes = LogLine(time: 0, level: .error, event: "many", fields: fields).bytes(as: format)
    #expect(bytes.count <= LogLine.maxLength)
    #expect(bytes.last == UInt8(ascii: "\n"))
    #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    if format == .json { #expect(bytes.suffix(2).first == UInt8(ascii: "}")) }
  }

  @Test(
    "times are those of the calendar",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (951_868_799_999, "2000-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
      (1_735_689_599_999, "2024-12-31T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
      (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ])
  func times(milliseconds: Int64, written: String) {
    #expect(Timestamp.format(milliseconds) == written)
  }

  @Test("times agree with the C library")
  func timesAgree() {
    for _ in 0..<2_000 {
      let seconds = Int64.random(in: -60_000_000_000...250_000_000_000)
      var time = time_t(seconds)
      var parts = tm()
      gmtime_r(&time, &parts)
      var text = [CChar](repeating: 0, count: 64)
      strftime(&text, text.count, "%m-%dT%H:%M:%S", &parts)
      let expected = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      #expect(Timestamp.format(seconds * 1_000).hasSuffix("-\(expected).000Z"))
      #expect(Timestamp.format(seconds * 1_000).hasPrefix(String(parts.tm_year + 1_900).leftPadded(to: 4)))
    }
  }

  @Test("a log that nobody reads drops lines and doesn't wait; the next one tells how many")
  func drops() throws {
    let pipe = try Pipe()
    let ends = [pipe.reading, pipe.writing]
    defer { for end in ends { close(end) } }
    let log = Log(format: .text, descriptor: ends[1])
    for number in 0..<10_000 { log(.info, "line", .init("number", .number(number))) }

    func drain() -> [Substring] {
      var text: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      var state = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      while poll(&state, 1, 0) == 1 {
        let count = read(ends[0], &buffer, buffer.count)
        guard count > 0 else { break }
        text += buffer.prefix(count)
      }
      return String(decoding: text, as: UTF8.self).split(separator: "\n")
    }

    let kept = drain()
    #expect(kept.count < 10_000)
    for (number, line) in kept.enumerated() { #expect(line.hasSuffix(" info line number=\(number)")) }
    log(.info, "again")
    let after = drain()
    #expect(after.count == 2)
    #expect(after.first?.hasSuffix(" warning log-lines-dropped count=\(10_000 - kept.count)") == true)
    #expect(after.last?.hasSuffix(" info again") == true)
  }
}

extension String {
  fileprivate func leftPadded(to width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}
