//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The beginning of each payload, `#17,123456789#`: the message's number, and the time at which it was published, in
/// nanoseconds of the monotonic clock.
struct Marker: Hashable, Sendable {
  /// Two signs, a comma, a number of up to 9 digits and a time of up to 19.
  static let maximumLength = 31
  /// So that the number has no more digits than that.
  static let maximumNumber = 999_999_999

  var number: Int
  var stamp: UInt64

  /// Reads the number of the marker that a payload begins with. Nil where there is none. The rest of the marker is not
  /// looked at: whoever knows the message knows what it must be.
  static func readNumber(_ payload: UnsafeRawBufferPointer) -> Int? {
    guard payload.count >= Payload.headLength, payload[0] == sign else { return nil }
    var number = 0
    // Nine digits, and the comma behind them.
    for index in 1...10 {
      let byte = payload[index]
      if byte == comma { return index > 1 ? number : nil }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      number = number &* 10 &+ Int(digit)
    }
    return nil
  }

  /// Writes the marker over the beginning of a payload, which has room for ``maximumLength`` bytes.
  /// - Returns: its length.
  @discardableResult
  func write(to payload: UnsafeMutableRawBufferPointer) -> Int {
    payload[0] = Self.sign
    var index = 1
    for digit in String(number).utf8 {
      payload[index] = digit
      index += 1
    }
    payload[index] = Self.comma
    index += 1
    for digit in String(stamp).utf8 {
      payload[index] = digit
      index += 1
    }
    payload[index] = Self.sign
    return index + 1
  }

  private static let sign = UInt8(ascii: "#")
  private static let comma = UInt8(ascii: ",")
}

/// The payloads of a run: a marker, and behind it a filler of letters and digits, the same at the same place in every
/// payload. So each byte is known, and one that was exchanged, lost or put in is seen.
struct Payload: Sendable {
  /// The bytes at the beginning in which the marker lies, and in which payloads differ.
  static let headLength = 32

  /// Those bytes, as words that are compared at a stroke.
  struct Head: BitwiseCopyable, Hashable, Sendable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private var fourth: UInt64 = 0
  }

  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
  /// The filler, also where the marker will stand.
  let bytes: [UInt8]

  /// - Parameter size: in bytes, at least ``headLength``.
  init(size: Int) { bytes = (0..<size).map { Self.alphabet[$0 % Self.alphabet.count] } }

  /// What a message begins with.
  func head(_ marker: Marker) -> Head {
    var head = bytes.withUnsafeBytes { $0.loadUnaligned(as: Head.self) }
    withUnsafeMutableBytes(of: &head) { _ = marker.write(to: $0) }
    return head
  }

  /// Whether these are the bytes behind the head, and as many as there have to be.
  func hasRightTail(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard payload.count == bytes.count else { return false }
    return bytes.withUnsafeBytes { expected in
      guard let mine = expected.baseAddress, let theirs = payload.baseAddress else { return false }
      return memcmp(mine + Self.headLength, theirs + Self.headLength, expected.count - Self.headLength) == 0
    }
  }

  /// Whether a payload begins so.
  static func begins(_ payload: UnsafeRawBufferPointer, with head: Head) -> Bool {
    payload.count >= headLength && payload.loadUnaligned(as: Head.self) == head
  }
}
