//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("The marker of a payload")
struct MarkerTests {
  private static let last = Marker(number: Marker.maximumNumber, stamp: 9_223_372_036_854_775_807)

  private func payload(_ marker: Marker, size: Int) -> [UInt8] {
    var bytes = Payload(size: size).bytes
    bytes.withUnsafeMutableBytes { _ = marker.write(to: $0) }
    return bytes
  }

  private func number(_ text: String) -> Int? {
    let bytes = Array((text + String(repeating: "a", count: 40)).utf8)
    return bytes.withUnsafeBytes { Marker.readNumber($0) }
  }

  @Test(
    "what is written is read, and is the head of its payload",
    arguments: [Marker(number: 0, stamp: 0), Marker(number: 17, stamp: 123_456_789), last])
  func roundTrip(marker: Marker) {
    let bytes = payload(marker, size: 40)
    #expect(bytes.withUnsafeBytes { Marker.readNumber($0) } == marker.number)
    let payload = Payload(size: 40)
    #expect(bytes.withUnsafeBytes { Payload.begins($0, with: payload.head(marker)) })
    #expect(bytes.withUnsafeBytes { payload.hasRightTail($0) })
    let other = payload.head(Marker(number: marker.number, stamp: marker.stamp ^ 1))
    #expect(!bytes.withUnsafeBytes { Payload.begins($0, with: other) })
  }

  @Test("the longest one fits into the head")
  func longest() {
    var bytes = [UInt8](repeating: 0, count: 64)
    #expect(bytes.withUnsafeMutableBytes { Self.last.write(to: $0) } == Marker.maximumLength)
    #expect(Marker.maximumLength < Payload.headLength)
  }

  @Test("the number is what stands between the sign and the comma")
  func numbers() {
    #expect(number("#0,1#") == 0)
    #expect(number("#999999999,") == 999_999_999)
  }

  @Test(
    "anything else has none",
    arguments: ["", "#", "#1", "x1,2#", "#,2#", "#1;2#", "#-1,2#", "# 1,2#", "#1000000000,2#"])
  func refusals(text: String) { #expect(number(text) == nil) }

  @Test("what is shorter than a head has none")
  func short() {
    #expect(Array("#1,2#".utf8).withUnsafeBytes { Marker.readNumber($0) } == nil)
    #expect([].withUnsafeBytes { Marker.readNumber($0) } == nil)
  }

  @Test("a byte behind the head that was exchanged, left out or put in is found")
  func tail() {
    let payload = Payload(size: 100)
    func isRight(_ change: (inout [UInt8]) -> Void) -> Bool {
      var bytes = payload.bytes
      change(&bytes)
      return bytes.withUnsafeBytes { payload.hasRightTail($0) }
    }
    #expect(isRight { _ in })
    // The marker stands there.
    #expect(isRight { $0[31] ^= 1 })
    #expect(!isRight { $0[32] ^= 1 })
    #expect(!isRight { $0[99] ^= 1 })
    #expect(!isRight { $0.removeLast() })
    #expect(!isRight { $0.append(0) })
    #expect(!isRight { $0.remove(at: 50) })
    #expect(!isRight { $0.swapAt(50, 51) })
  }
}
