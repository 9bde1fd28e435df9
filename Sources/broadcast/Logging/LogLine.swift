//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

enum LogFormat: String, CaseIterable, Hashable, Sendable { case text, json }

enum LogLevel: String, Hashable, Sendable { case debug, info, warning, error }

/// One line of the log. The names of its fields are the program's own; their values may come from anywhere.
struct LogLine: Hashable, Sendable {
  struct Field: Hashable, Sendable {
    let name: String
    let value: Value

    init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }
  }

  enum Value: Hashable, Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
  }

  /// A longer text is cut: so one client's text can't crowd out a line's other fields.
  static let maxText = 512
  /// Lines are kept shorter than what a pipe takes at once (PIPE_BUF, 4,096 bytes on Linux; pipe(7)), newline included;
  /// fields that find no room are left out.
  static let maxLength = 4_096

  /// Milliseconds since 1970 in UTC.
  let time: Int64
  let level: LogLevel
  /// What happened, in words that don't change from line to line, such as `listening`.
  let event: String
  let fields: [Field]

  /// The line with its newline.
  func bytes(as format: LogFormat) -> [UInt8] {
    switch format {
    case .text: text
    case .json: json
    }
  }

  /// `2026-01-31T08:30:00.000Z info listening address=127.0.0.1 port=8080`. A value that is not one plain word is
  /// written as a JSON string, so that nothing in it can pass for a field or a line.
  private var text: [UInt8] {
    var line = Array("\(Timestamp.format(time)) \(level.rawValue) \(event)".utf8)
    for field in fields {
      var part = Array(" \(field.name)=".utf8)
      switch field.value {
      case .text(let text) where !Self.isPlain(text): JSONWriter.append(Self.cut(text), to: &part)
      case .text(let text): part += Self.cut(text).utf8
      case .number(let number): part += String(number).utf8
      case .flag(let flag): part += String(flag).utf8
      }
      if line.count + part.count < Self.maxLength { line += part }
    }
    return line + [UInt8(ascii: "\n")]
  }

  private var json: [UInt8] {
    var line = Array("{\"time\":\"\(Timestamp.format(time))\",\"level\":\"\(level.rawValue)\",\"event\":".utf8)
    JSONWriter.append(event, to: &line)
    for field in fields {
      var part = [UInt8(ascii: ",")]
      JSONWriter.append(field.name, to: &part)
      part.append(UInt8(ascii: ":"))
      switch field.value {
      case .text(let text): JSONWriter.append(Self.cut(text), to: &part)
      case .number(let number): part += String(number).utf8
      case .flag(let flag): part += String(flag).utf8
      }
      if line.count + part.count + 1 < Self.maxLength { line += part }
    }
    return line + "}\n".utf8
  }

  private static func isPlain(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > maxText else { return text }
    // Scalar by scalar: one character may have any number of them.
    var result = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars {
      length += UTF8.width(scalar)
      if length > maxText { break }
      result.append(scalar)
    }
    return String(result) + "…"
  }
}

extension LogLine.Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  init(stringLiteral value: String) { self = .text(value) }
  init(integerLiteral value: Int) { self = .number(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
}
