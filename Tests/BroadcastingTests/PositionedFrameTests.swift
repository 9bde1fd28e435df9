//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@Suite("Frames that say where they stand")
struct PositionedFrameTests {
  private static let position = MessagePosition(epoch: 1_795_293_978_319_901, offset: 42)

  @Test("a message's header has its position and its channel")
  func messageHeader() {
    var frame: [UInt8] = []
    PositionedFrame.appendHeader(of: Self.position, on: Array("chat.room".utf8), to: &frame)
    #expect(String(decoding: frame, as: UTF8.self) == "1795293978319901-42 chat.room\n")
    frame = []
    PositionedFrame.appendHeader(of: nil, on: Array("chat".utf8), to: &frame)
    #expect(String(decoding: frame, as: UTF8.self) == "- chat\n")
  }

  @Test("a state says whether all is there")
  func state() {
    let channel = Array("a%20b".utf8)
    #expect(
      String(decoding: PositionedFrame.state(Self.position, isComplete: true, on: channel), as: UTF8.self)
        == "=1795293978319901-42 recovered a%20b\n")
    #expect(
      String(decoding: PositionedFrame.state(nil, isComplete: false, on: channel), as: UTF8.self) == "=- missed a%20b\n"
    )
    #expect(
      PositionedFrame.state(.beginning, isComplete: true, on: channel) == Array("=0-0 recovered a%20b\n".utf8))
  }

  @Test("what is written is read again, whatever the payload")
  func fuzzBothWays() {
    var random = SeededGenerator(seed: 12)
    for _ in 0..<5_000 {
      let edges: [UInt64] = [0, 1, 9, 10, .max, .max - 1, 1 << 53, random.next()]
      let position: MessagePosition? =
        Bool.random(using: &random)
        ? nil
        : MessagePosition(
          epoch: edges.randomElement(using: &random) ?? 0, offset: edges.randomElement(using: &random) ?? 0)
      let alphabet = Array("abcXYZ09-._~%=".utf8)
      let channel = (0..<Int.random(in: 1...255, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0
      }
      let payload = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var frame: [UInt8] = []
      PositionedFrame.appendHeader(of: position, on: channel, to: &frame)
      #expect(frame.count <= channel.count + PositionedFrame.maximumHeaderBytes)
      frame += payload
      let read = PositionedFrame(frame)
      #expect(read?.content == .message && read?.position == position && read?.channel == channel)
      #expect(read.map { Array(frame[$0.payloadStart...]) } == payload)

      let isComplete = Bool.random(using: &random)
      let state = PositionedFrame.state(position, isComplete: isComplete, on: channel)
      #expect(state.count <= channel.count + PositionedFrame.maximumHeaderBytes)
      let readState = PositionedFrame(state)
      #expect(readState?.content == .state(isComplete: isComplete) && readState?.position == position)
      #expect(readState?.channel == channel && readState?.payloadStart == state.count)
    }
  }

  @Test("any bytes are read or refused, and what is read is written alike")
  func fuzzAnyBytes() {
    var random = SeededGenerator(seed: 13)
    let alphabet = Array("=-01 a\n".utf8)
    var isRead = 0
    for _ in 0..<50_000 {
      let frame = (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      guard let read = PositionedFrame(frame) else { continue }
      isRead += 1
      var written: [UInt8] = []
      switch read.content {
      case .message: PositionedFrame.appendHeader(of: read.position, on: read.channel, to: &written)
      case .state(let isComplete):
        written = PositionedFrame.state(read.position, isComplete: isComplete, on: read.channel)
      }
      #expect(Array(frame[..<read.payloadStart]) == written)
    }
    #expect(isRead > 10)
  }

  @Test(
    "what is no header is refused",
    arguments: [
      "", "hello", "\n", " \n", "- \n", "-\n", "- a b\n", "1-2\n", "01-2 a\n", "1-02 a\n", "1 a\n", "1-2-3 a\n",
      "+1-2 a\n",
      "18446744073709551616-1 a\n", "=1-2 a\n", "=1-2 recovered\n", "=1-2 recovered \n", "=1-2 Recovered a\n",
      "=1-2 missed a\nx", "=1-2  a\n", "==1-2 missed a\n", "{\"a\": 1}\nb", "1-2  a\n",
    ])
  func refusals(frame: String) {
    #expect(PositionedFrame(Array(frame.utf8)) == nil)
  }
}
