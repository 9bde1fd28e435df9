//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import broadcast

@Suite("How messages are printed")
struct MessageFormatTests {
  private func print(_ message: Message, as format: MessageFormat) -> String {
    String(decoding: format.bytes(of: message, at: 1_700_000_000_123), as: UTF8.self)
  }

  @Test("a line is the payload and a newline, byte for byte")
  func lines() {
    #expect(print(Message("a\u{1b}\"b\"", to: "c"), as: .line) == "a\u{1b}\"b\"\n")
    #expect(MessageFormat.line.bytes(of: Message([0, 255, 10], to: "c"), at: 0) == [0, 255, 10, 10])
    #expect(MessageFormat.bytes.bytes(of: Message([0, 255, 10], to: "c"), at: 0) == [0, 255, 10])
  }

  @Test("on a terminal nothing can command it")
  func terminal() {
    #expect(print(Message("a\u{1b}]0;x\u{7}\nb", to: "c"), as: .terminalLine) == "a\\u001b]0;x\\u0007\\nb\n")
    #expect(print(Message([1, 2, 3], to: "c"), as: .terminalLine) == "(binary, 3 bytes)\n")
    #expect(
      print(Message("\u{9b}", to: "c"), as: .terminalJSON)
        == #"{"time":"2023-11-14T22:13:20.123Z","channel":"c","payload":"\u009b"}"# + "\n")
  }

  @Test("as JSON it has time, channel and payload, and the encoding where it is binary")
  func json() {
    #expect(
      print(Message("a\n\"é\"", to: "news \"x\""), as: .json)
        == #"{"time":"2023-11-14T22:13:20.123Z","channel":"news \"x\"","payload":"a\n\"é\""}"# + "\n")
    #expect(
      print(Message([0, 255, 16], to: "c"), as: .json)
        == #"{"time":"2023-11-14T22:13:20.123Z","channel":"c","payload":"AP8Q","encoding":"base64"}"# + "\n")
  }

  @Test("the format follows the options and where the output goes")
  func choice() throws {
    var options = SubscribeOptions()
    #expect(try options.format(isTerminal: true) == .terminalLine)
    #expect(try options.format(isTerminal: false) == .line)
    options.isJSON = true
    #expect(try options.format(isTerminal: true) == .terminalJSON)
    #expect(try options.format(isTerminal: false) == .json)
    options.isJSON = false
    options.isBinary = true
    #expect(try options.format(isTerminal: false) == .bytes)
    #expect(throws: Failure.self) { try options.format(isTerminal: true) }
  }

  @Test("a gap is told with its count and its reason")
  func gaps() {
    #expect(
      Printer.line(for: Gap(channel: "a", missed: nil, reason: .connectionLost))
        == "messages of a may have been missed while the connection was lost")
    #expect(
      Printer.line(for: Gap(channel: "a", missed: 1, reason: .slowConsumer))
        == "1 message of a was missed: the output is read too slowly for --max-backlog")
    #expect(
      Printer.line(for: Gap(channel: "a", missed: 20, reason: .brokerLoss))
        == "20 messages of a were missed: the server or broker could not deliver them")
  }
}
