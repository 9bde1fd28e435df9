//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Frames as bytes (RFC 6455 section 5.2). What a server sends isn't masked, so one frame serves all its sockets.
package enum WebSocketFrame {
  /// The longest payload of a ping, pong or close frame.
  package static let controlLimit = 125

  /// A server's frame with a whole message.
  package static func encode(_ message: WebSocketMessage) -> [UInt8] {
    encode(WebSocketOpcode(message.kind), message.bytes)
  }

  /// A server's frame.
  package static func encode(_ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
    var frame: [UInt8] = []
    append(opcode, payload, isFinal: isFinal, to: &frame)
    return frame
  }

  /// Appends a server's frame.
  package static func append(
    _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, to output: inout [UInt8]
  ) {
    payload.withUnsafeBytes { append(opcode, $0, isFinal: isFinal, to: &output) }
  }

  /// Appends a server's frame whose payload lies elsewhere.
  package static func append(
    _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, isFinal: Bool = true, to output: inout [UInt8]
  ) {
    // Only where it is the first: Array would give up growing by doubling.
    if output.isEmpty { output.reserveCapacity(10 + payload.count) }
    appendHeader(opcode, payload.count, isFinal: isFinal, isMasked: false, to: &output)
    output.append(contentsOf: payload)
  }

  /// Appends a client's frame, masked by a key of its own.
  ///
  /// - Parameter generator: Must give numbers that nobody can foresee, as the system's does: a page could otherwise
  ///   make bytes on the wire that a proxy takes for a request (RFC 6455 section 10.3).
  package static func appendMasked(
    _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true,
    using generator: inout some RandomNumberGenerator, to output: inout [UInt8]
  ) {
    if output.isEmpty { output.reserveCapacity(14 + payload.count) }
    appendHeader(opcode, payload.count, isFinal: isFinal, isMasked: true, to: &output)
    var mask = WebSocketMask(using: &generator)
    output.append(contentsOf: mask.bytes)
    payload.withUnsafeBytes { mask.append($0, to: &output) }
  }

  /// The payload of a close frame. A reason that would make it longer than ``controlLimit`` is cut between two
  /// characters. Without a code, or with one that may not be sent, the payload is empty.
  package static func closePayload(_ code: WebSocketCloseCode?, _ reason: String) -> [UInt8] {
    guard let code, code.isValidInFrame else { return [] }
    var payload = [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
    for scalar in reason.unicodeScalars {
      guard payload.count + UTF8.width(scalar) <= controlLimit else { break }
      payload.append(contentsOf: String(scalar).utf8)
    }
    return payload
  }

  private static func appendHeader(
    _ opcode: WebSocketOpcode, _ length: Int, isFinal: Bool, isMasked: Bool, to output: inout [UInt8]
  ) {
    output.append((isFinal ? 0x80 : 0) | opcode.rawValue)
    let maskBit: UInt8 = isMasked ? 0x80 : 0
    switch length {
    case ..<126: output.append(maskBit | UInt8(length))
    case ..<65536:
      output.append(maskBit | 126)
      output.append(UInt8(length >> 8))
      output.append(UInt8(length & 0xFF))
    default:
      output.append(maskBit | 127)
      for shift in stride(from: 56, through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: length >> shift)) }
    }
  }
}
