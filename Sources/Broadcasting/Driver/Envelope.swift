//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The form in which a message travels through a broker.
///
/// The plain form is the payload itself, so that other programs on the same broker can read and write it: bytes that
/// are valid UTF-8 are a text message, any others a binary one. What this rule would get wrong goes in an envelope: a
/// binary payload that happens to be UTF-8, headers, and a payload that itself begins like an envelope. On a wire for
/// text, binary payloads and the character NUL need it too.
///
/// The bytes of an envelope, version 1:
///
/// | bytes | what |
/// |---|---|
/// | 3 | `02 62 63`: the character STX and "bc" |
/// | 1 | `31`: the version, "1" |
/// | 1 | `72`, "r": the body follows as it is; or `62`, "b": the body follows in Base64 with padding (RFC 4648, section 4) |
///
/// And its body:
///
/// | bytes | what |
/// |---|---|
/// | 1 | `74`, "t": text; or `62`, "b": binary |
/// | 1 to 5 | the number of headers |
/// | for each header | the length of its name, the name in UTF-8, the length of its value, the value |
/// | the rest | the payload |
///
/// Numbers and lengths are unsigned LEB128: seven bits in a byte, the lowest first, the top bit set in all but the last
/// byte, no needless bytes, at most 2^32 - 1. What begins like an envelope but does not keep this form was not made by
/// this library, and is taken as a plain payload.
public enum Envelope {
  /// What a broker can carry.
  public enum Wire: Sendable, Hashable {
    /// Any bytes.
    case bytes
    /// UTF-8 without the character NUL.
    case text
  }

  private static let start: [UInt8] = [0x02, 0x62, 0x63]
  private static let version: UInt8 = 0x31
  private static let raw: UInt8 = 0x72
  private static let base64: UInt8 = 0x62
  private static let text: UInt8 = 0x74
  private static let binary: UInt8 = 0x62

  /// Turns a message into what goes over the wire.
  public static func encode(_ message: Message, for wire: Wire = .bytes) -> [UInt8] {
    if isPlain(message, on: wire) { return message.payload }
    var body: [UInt8] = []
    body.reserveCapacity(message.bufferedBytes)
    body.append(message.kind == .text ? text : binary)
    append(message.headers.count, to: &body)
    for header in message.headers {
      append(header.name.utf8.count, to: &body)
      body.append(contentsOf: header.name.utf8)
      append(header.value.count, to: &body)
      body.append(contentsOf: header.value)
    }
    body.append(contentsOf: message.payload)
    switch wire {
    case .bytes: return start + [version, raw] + body
    case .text: return start + [version, base64] + Base64.encode(body)
    }
  }

  /// Makes a message of what came over the wire. Never fails: what is no envelope is a plain payload.
  public static func decode(_ bytes: [UInt8], channel: Channel, position: MessagePosition? = nil) -> Message {
    if let message = unwrap(bytes, channel, position) { return message }
    return isText(bytes)
      ? Message(validUTF8: bytes, to: channel, position: position)
      : Message(bytes, to: channel, position: position)
  }

  /// Whether the payload as it is goes over the wire.
  package static func isPlain(_ message: Message, on wire: Wire) -> Bool {
    guard message.headers.isEmpty, !beginsAsEnvelope(message.payload) else { return false }
    switch (message.kind, wire) {
    case (.text, .bytes): return true
    case (.text, .text): return !containsZero(message.payload)
    case (.binary, .bytes): return !isText(message.payload)
    case (.binary, .text): return false
    }
  }

  /// Asked of each message that goes over the wire, so the bytes are looked at one by one: most differ in the first.
  private static func beginsAsEnvelope(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 3 && bytes[0] == 0x02 && bytes[1] == 0x62 && bytes[2] == 0x63
  }

  private static func isText(_ bytes: [UInt8]) -> Bool {
    isASCII(bytes) || String(validating: bytes, as: UTF8.self) != nil
  }

  /// Eight bytes at a time: most texts are ASCII, and need no string made of them to know that they are one.
  private static func isASCII(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var seen: UInt64 = 0
      let whole = bytes.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        seen |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      }
      for byte in bytes[whole...] { seen |= UInt64(byte) }
      return seen & 0x8080_8080_8080_8080 == 0
    }
  }

  private static func containsZero(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { bytes in
      let whole = bytes.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        // Only the lowest zero among its bytes borrows so that a top bit is set which was not; without one there is none.
        if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return true }
      }
      return bytes[whole...].contains(0)
    }
  }

  private static func unwrap(_ bytes: [UInt8], _ channel: Channel, _ position: MessagePosition?) -> Message? {
    guard bytes.count > start.count + 1, bytes.starts(with: start), bytes[3] == version else { return nil }
    var reader: Reader
    switch bytes[4] {
    case raw:
      reader = Reader(bytes[5...])
    case base64:
      guard let body = Base64.decode(bytes[5...]) else { return nil }
      reader = Reader(body[...])
    default:
      return nil
    }
    guard let kind = reader.byte(), kind == text || kind == binary, let count = reader.number() else { return nil }
    var headers: [Message.Header] = []
    // Not reserved by the count, which anybody may have written: each header takes at least two bytes of the rest.
    for _ in 0..<count {
      guard let nameLength = reader.number(), let name = reader.take(nameLength),
        let name = String(validating: name, as: UTF8.self),
        let valueLength = reader.number(), let value = reader.take(valueLength)
      else { return nil }
      headers.append(.init(name, Array(value)))
    }
    let payload = Array(reader.rest)
    if kind == binary { return Message(payload, to: channel, headers: headers, position: position) }
    return try? Message(utf8: payload, to: channel, headers: headers, position: position)
  }

  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    var number = number
    while number >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
      number >>= 7
    }
    bytes.append(UInt8(number))
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number() -> Int? {
      var value = 0
      for shift in stride(from: 0, through: 28, by: 7) {
        guard let byte = byte() else { return nil }
        value |= Int(byte & 0x7F) << shift
        if byte & 0x80 == 0 {
          // A last byte of zero is needless, and one form for each message keeps the wire simple.
          guard byte != 0 || shift == 0, value <= Int(UInt32.max) else { return nil }
          return value
        }
      }
      return nil
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
      guard count <= rest.count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
  }
}
