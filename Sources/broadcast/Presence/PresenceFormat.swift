//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// How a member is written on standard output, as a line.
enum PresenceFormat: Hashable, Sendable {
  /// Name and info with a tab between, escaped as for a terminal: others choose them, and each has one line.
  case text
  case json
  /// The same for a terminal, which takes some characters for commands that JSON lets pass.
  case terminalJSON

  /// - Parameter event: What happened to the member; nil where nothing is said of that.
  func line(_ member: PresenceMember, _ event: String? = nil) -> [UInt8] {
    let bytes =
      switch self {
      case .text: TerminalText.escape(Self.words(member, event))
      case .json: Self.object(member, event)
      case .terminalJSON: TerminalText.escape(Self.object(member, event))
      }
    return bytes + [UInt8(ascii: "\n")]
  }

  private static func words(_ member: PresenceMember, _ event: String?) -> [UInt8] {
    let info = member.infoText ?? "(binary, \(member.info.count) bytes)"
    return Array([event, member.name, info.isEmpty ? nil : info].compactMap(\.self).joined(separator: "\t").utf8)
  }

  private static func object(_ member: PresenceMember, _ event: String?) -> [UInt8] {
    var bytes = Array((event.map { "{\"event\":\"\($0)\",\"name\":" } ?? "{\"name\":").utf8)
    JSONWriter.append(member.name, to: &bytes)
    bytes += ",\"info\":".utf8
    if let text = member.infoText {
      JSONWriter.append(text, to: &bytes)
    } else {
      bytes += "\"\(Base64.encode(member.info))\",\"encoding\":\"base64\"".utf8
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
