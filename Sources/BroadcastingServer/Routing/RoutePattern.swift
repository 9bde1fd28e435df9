//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// A path with parameters, such as `/chat/:room/history`.
///
/// It begins with a slash. A segment that begins with a colon is a parameter and takes any one segment that is not
/// empty; its name is made of ASCII letters, digits and `_`. All other segments stand for themselves; `%` escapes in
/// them are resolved, as they are in requests. A slash at the end says nothing.
struct RoutePattern: Hashable, Sendable, CustomStringConvertible {
  enum Segment: Hashable, Sendable {
    case literal([UInt8])
    case parameter(String)
  }

  let segments: [Segment]
  let description: String

  init(_ text: String) throws(RouteError) {
    func invalid(_ message: String) -> RouteError { RouteError(.invalidPattern, text, message) }

    guard text.utf8.first == .slash else { throw invalid("a path begins with \"/\"") }
    guard !text.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) else {
      throw invalid("a path ends before \"?\" and \"#\"")
    }
    var segments: [Segment] = []
    var names: Set<String> = []
    var parts = text.utf8.dropFirst().split(separator: .slash, omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    for part in parts {
      guard let first = part.first else { throw invalid("a segment is empty") }
      switch first {
      case UInt8(ascii: ":"):
        let name = String(part.dropFirst()) ?? ""
        guard Self.isName(name) else { throw invalid("\":\(name)\" is no name: use ASCII letters, digits and \"_\"") }
        guard names.insert(name).inserted else { throw invalid("the parameter \"\(name)\" stands there twice") }
        segments.append(.parameter(name))
      case UInt8(ascii: "*"):
        throw invalid("\"*\" at the start of a segment has no meaning yet; write %2A for the character")
      default:
        var literal: [UInt8] = []
        guard PercentEncoding.append(part, to: &literal, plusIsSpace: false) else {
          throw invalid("a \"%\" without two hexadecimal digits")
        }
        guard String(validating: literal, as: UTF8.self) != nil else { throw invalid("a segment is not UTF-8") }
        segments.append(.literal(literal))
      }
    }
    self.segments = segments
    self.description = text
  }

  /// This pattern behind `prefix`.
  func mounted(under prefix: RoutePattern) throws(RouteError) -> RoutePattern {
    var prefixText = prefix.description
    if prefixText.utf8.last == .slash { prefixText.removeLast() }
    // Read again, since both may have a parameter of the same name.
    return try RoutePattern(prefixText + description)
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8.zero ... .nine ~= first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case .zero ... .nine, UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}
