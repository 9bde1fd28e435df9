//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Makes messages of the bytes that a peer sends (RFC 6455 sections 5 and 8.1), however they are cut in pieces.
///
/// A fault is told at the first byte that shows it. An idle decoder is a hundred bytes without a buffer: a server holds
/// one for each socket.
package struct WebSocketFrameDecoder: Sendable {
  package enum Event: Hashable, Sendable {
    case message(WebSocketMessage)
    case ping([UInt8])
    case pong([UInt8])

    /// A close frame; without a code where it was empty. Whatever follows is overlooked.
    case close(WebSocketCloseCode?, reason: String)

    /// The peer broke a rule: the socket is to be closed with this code. Whatever follows is overlooked.
    case failure(WebSocketCloseCode, reason: String)
  }

  private enum Stage: Sendable {
    case opcode, length
    /// A length of two or eight bytes, of which some are missing.
    case extendedLength(missing: UInt8, of: UInt8)
    case key(missing: UInt8)
    case payload
    /// Behind a close frame or a fault.
    case finished
  }

  private let role: WebSocketRole
  private let limits: WebSocketLimits
  private var stage = Stage.opcode

  // The frame under way.
  private var isFinal = false
  private var opcode = WebSocketOpcode.continuation
  private var length: UInt64 = 0
  private var keyBits: UInt32 = 0
  private var mask = WebSocketMask(0, 0, 0, 0)
  private var control: [UInt8] = []

  // The message under way, of which this frame may be a part.
  private var kind: WebSocketMessage.Kind?
  private var message: [UInt8] = []
  private var validator = UTF8Validator()

  /// - Parameter role: Which end this is: a server demands masks, a client refuses them.
  package init(_ role: WebSocketRole, limits: WebSocketLimits = WebSocketLimits()) {
    self.role = role
    self.limits = limits
  }

  /// Takes bytes as far as the next event, and tells how many those were. Without an event all were taken.
  package mutating func read(_ bytes: UnsafeRawBufferPointer) -> (consumed: Int, event: Event?) {
    var index = 0
    while index < bytes.count {
      if case .finished = stage { return (bytes.count, nil) }
      do throws(Fault) {
        if case .payload = stage {
          index += try take(bytes[index...])
        } else {
          try step(bytes[index])
          index += 1
        }
        // A frame may have no payload, and ends with its header then.
        if case .payload = stage, length == 0, let event = try endFrame() { return (index, event) }
      } catch {
        return (index, finish(.failure(error.code, reason: error.reason)))
      }
    }
    return (index, nil)
  }

  private struct Fault: Error {
    let code: WebSocketCloseCode
    let reason: String

    init(_ reason: String, _ code: WebSocketCloseCode = .protocolError) {
      self.code = code
      self.reason = reason
    }
  }

  /// One byte of a frame's header.
  private mutating func step(_ byte: UInt8) throws(Fault) {
    switch stage {
    case .opcode:
      try begin(byte)
      stage = .length
    case .length:
      try takeLength(byte)
    case .extendedLength(let missing, let size):
      guard missing < 8 || byte < 0x80 else { throw Fault("the top bit of a length is set") }
      length = length << 8 | UInt64(byte)
      stage = .extendedLength(missing: missing - 1, of: size)
      if missing == 1 { try lengthEnded(shortest: size == 2 ? 126 : 65536) }
    case .key(let missing):
      keyBits = keyBits << 8 | UInt32(byte)
      stage = .key(missing: missing - 1)
      if missing == 1 { keyEnded() }
    case .payload, .finished: return
    }
  }

  private mutating func begin(_ byte: UInt8) throws(Fault) {
    guard byte & 0x70 == 0 else { throw Fault("a reserved bit is set") }
    guard let opcode = WebSocketOpcode(rawValue: byte & 0x0F) else { throw Fault("a reserved opcode") }
    self.opcode = opcode
    isFinal = byte & 0x80 != 0
    switch opcode {
    case .continuation:
      guard kind != nil else { throw Fault("a continuation without a message") }
    case .text, .binary:
      guard kind == nil else { throw Fault("a message inside of another") }
      kind = opcode == .text ? .text : .binary
    case .close, .ping, .pong:
      guard isFinal else { throw Fault("a control frame in fragments") }
    }
  }

  private mutating func takeLength(_ byte: UInt8) throws(Fault) {
    guard (byte & 0x80 != 0) == (role == .server) else {
      throw Fault(role == .server ? "a client's frame without a mask" : "a server's frame with a mask")
    }
    let short = byte & 0x7F
    guard short < 126 || !opcode.isControl else { throw Fault("a control frame over 125 bytes") }
    length = 0
    switch short {
    case 126: stage = .extendedLength(missing: 2, of: 2)
    case 127: stage = .extendedLength(missing: 8, of: 8)
    default:
      length = UInt64(short)
      try lengthEnded(shortest: 0)
    }
  }

  private mutating func lengthEnded(shortest: UInt64) throws(Fault) {
    guard length >= shortest else { throw Fault("a length that isn't in its shortest form") }
    guard opcode != .close || length != 1 else { throw Fault("a close frame with half a code") }
    if !opcode.isControl {
      guard length <= UInt64(max(0, limits.frameBytes)) else {
        throw Fault("a frame over \(limits.frameBytes) bytes", .messageTooLarge)
      }
      guard length <= UInt64(max(0, limits.messageBytes - message.count)) else {
        throw Fault("a message over \(limits.messageBytes) bytes", .messageTooLarge)
      }
    }
    stage = role == .server ? .key(missing: 4) : .payload
  }

  private mutating func keyEnded() {
    mask = WebSocketMask(
      UInt8(truncatingIfNeeded: keyBits >> 24), UInt8(truncatingIfNeeded: keyBits >> 16),
      UInt8(truncatingIfNeeded: keyBits >> 8), UInt8(truncatingIfNeeded: keyBits))
    stage = .payload
  }

  /// Takes what there is of the payload.
  private mutating func take(_ bytes: Slice<UnsafeRawBufferPointer>) throws(Fault) -> Int {
    let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(Int(min(length, UInt64(bytes.count)))))
    length -= UInt64(part.count)
    if opcode.isControl {
      if role == .server { mask.append(part, to: &control) } else { control.append(contentsOf: part) }
      return part.count
    }
    let start = message.count
    if role == .server { mask.append(part, to: &message) } else { message.append(contentsOf: part) }
    if kind == .text {
      let isText = message.withUnsafeBytes { validator.accepts(UnsafeRawBufferPointer(rebasing: $0[start...])) }
      guard isText else { throw Fault("a text that isn't UTF-8", .invalidText) }
    }
    return part.count
  }

  private mutating func endFrame() throws(Fault) -> Event? {
    stage = .opcode
    if opcode.isControl {
      let payload = control
      control = []
      switch opcode {
      case .ping: return .ping(payload)
      case .pong: return .pong(payload)
      default: return finish(try close(payload))
      }
    }
    guard isFinal, let kind else { return nil }
    guard kind == .binary || validator.isAtBoundary else {
      throw Fault("a text that ends inside of a character", .invalidText)
    }
    let whole = WebSocketMessage(kind, message)
    self.kind = nil
    message = []
    return .message(whole)
  }

  private func close(_ payload: [UInt8]) throws(Fault) -> Event {
    guard payload.count >= 2 else { return .close(nil, reason: "") }
    let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
    guard code.isValidInFrame else { throw Fault("a close code that may not be sent") }
    guard let reason = String(validating: payload[2...], as: UTF8.self) else {
      throw Fault("a reason that isn't UTF-8", .invalidText)
    }
    return .close(code, reason: reason)
  }

  private mutating func finish(_ event: Event) -> Event {
    stage = .finished
    kind = nil
    message = []
    control = []
    return event
  }
}
