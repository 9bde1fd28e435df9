//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// How a message is written on standard output.
enum MessageFormat: Hashable, Sendable {
  /// The payload and a newline.
  case line
  /// The payload and a newline, for eyes: control characters are escaped, binary messages described.
  case terminalLine
  /// The payload alone, whatever its bytes.
  case bytes
  /// An object and a newline: `time` (RFC 3339), `channel`, `position` where it has one, and `payload`, with `"encoding": "base64"` where it is binary.
  case json
  /// The same for a terminal, which takes some characters for commands that JSON lets pass.
  case terminalJSON

  /// - Parameters:
  ///   - isTerminal: whether standard output is one.
  /// - Throws: where messages could command the terminal.
  static func chosen(isJSON: Bool, isBinary: Bool, isTerminal: Bool) throws(Failure) -> MessageFormat {
    if isBinary, isTerminal {
      throw Failure(
        "--binary prints any bytes, which a terminal may take for commands; redirect standard output", .outputFailed)
    }
    if isBinary { return .bytes }
    if isJSON { return isTerminal ? .terminalJSON : .json }
    return isTerminal ? .terminalLine : .line
  }

  /// - Parameter time: when the message came, in milliseconds since 1970; nil where nobody knows.
  func bytes(of message: Message, at time: Int64?) -> [UInt8] {
    switch self {
    case .bytes: message.payload
    case .line: message.payload + [.newline]
    case .terminalLine where message.kind == .binary: Array("(binary, \(message.payload.count) bytes)\n".utf8)
    case .terminalLine: TerminalText.escape(message.payload) + [.newline]
    case .json: Self.object(message, time) + [.newline]
    case .terminalJSON: TerminalText.escape(Self.object(message, time)) + [.newline]
    }
  }

  private static func object(_ message: Message, _ time: Int64?) -> [UInt8] {
    var bytes = Array("{\(time.map { "\"time\":\"\(Timestamp.format($0))\"," } ?? "")\"channel\":".utf8)
    JSONWriter.append(message.channel.name, to: &bytes)
    if let position = message.position { bytes += ",\"position\":\"\(position)\"".utf8 }
    bytes += ",\"payload\":".utf8
    switch message.kind {
    case .text: message.payload.withUnsafeBufferPointer { JSONWriter.append($0, to: &bytes) }
    case .binary: bytes += "\"\(Base64.encode(message.payload))\",\"encoding\":\"base64\"".utf8
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}

extension UInt8 {
  fileprivate static let newline = UInt8(ascii: "\n")
}
