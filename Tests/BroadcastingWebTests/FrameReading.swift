//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import BroadcastingWeb

/// A client's frame, with every part of it to choose.
func clientFrame(
  _ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true, reserved: UInt8 = 0,
  key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
) -> [UInt8] {
  var frame: [UInt8] = [(isFinal ? 0x80 : 0) | reserved | opcode]
  let maskBit: UInt8 = key == nil ? 0 : 0x80
  switch payload.count {
  case ..<126: frame.append(maskBit | UInt8(payload.count))
  case ..<65536: frame += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
  default:
    frame.append(maskBit | 127)
    frame += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
  }
  guard let key else { return frame + payload }
  return frame + key + payload.indices.map { payload[$0] ^ key[$0 % 4] }
}

func clientFrame(_ opcode: UInt8, _ text: String, isFinal: Bool = true) -> [UInt8] {
  clientFrame(opcode, Array(text.utf8), isFinal: isFinal)
}

/// What a server's decoder made of all pieces.
func frameEvents(
  _ pieces: [[UInt8]], role: WebSocketRole = .server, limits: WebSocketLimits = WebSocketLimits()
) -> [WebSocketFrameDecoder.Event] {
  var decoder = WebSocketFrameDecoder(role, limits: limits)
  var events: [WebSocketFrameDecoder.Event] = []
  for piece in pieces {
    var rest = piece[...]
    while !rest.isEmpty {
      let (consumed, event) = rest.withUnsafeBytes { decoder.read($0) }
      rest = rest.dropFirst(consumed)
      if let event { events.append(event) } else { precondition(rest.isEmpty) }
    }
  }
  return events
}

/// The code of the failure that ended the events, or nil.
func failureCode(_ events: [WebSocketFrameDecoder.Event]) -> UInt16? {
  if case .failure(let code, _)? = events.last { code.rawValue } else { nil }
}
