//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// The answer of a server's `/history`:
/// `{"channel": …, "head": …, "complete": …, "more": …, "messages": [{"position": …, "message": …}]}`, with `bytes` in base64
/// for what is binary.
enum HistoryAnswer {
  /// Nil for anything else, also where a message has no position. Unknown members are passed over.
  static func page(_ body: [UInt8], of channel: Channel) -> HistoryPage? {
    body.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      do throws(JSONError) { return try page(&scanner, of: channel) } catch { return nil }
    }
  }

  private static func page(_ scanner: inout JSONScanner, of channel: Channel) throws(JSONError) -> HistoryPage? {
    var name: String?
    var head: MessagePosition??
    var hasMore: Bool?
    var messages: [Message]?
    try scanner.readMembers { scanner, member throws(JSONError) in
      if scanner.string(member, is: "channel") {
        name = try scanner.textOrSkip()
      } else if scanner.string(member, is: "head") {
        if scanner.next == .quote {
          head = try scanner.textOrSkip().flatMap { MessagePosition($0) }.map { .some($0) }
        } else {
          // There never was a message.
          head = try scanner.takeNull() ? .some(nil) : nil
        }
      } else if scanner.string(member, is: "more") {
        hasMore = try scanner.boolOrSkip()
      } else if scanner.string(member, is: "messages") {
        messages = try self.messages(&scanner, of: channel)
      } else {
        try scanner.skipValue()
      }
    }
    try scanner.finish()
    guard let name, name.utf8.elementsEqual(channel.name.utf8), let head, let hasMore, let messages else { return nil }
    // A page that does not reach the head has a message.
    guard !hasMore || !messages.isEmpty else { return nil }
    return HistoryPage(head: head ?? .beginning, messages: messages, reachesHead: !hasMore)
  }

  private static func messages(
    _ scanner: inout JSONScanner, of channel: Channel
  ) throws(JSONError) -> [Message]? {
    guard scanner.next == .openBracket else {
      try scanner.skipValue()
      return nil
    }
    try scanner.open(.array)
    var messages: [Message]? = []
    scanner.skipWhitespace()
    if scanner.next != .closeBracket {
      repeat {
        if let message = try message(&scanner, of: channel) { messages?.append(message) } else { messages = nil }
        scanner.skipWhitespace()
      } while scanner.take(.comma)
    }
    guard scanner.next == .closeBracket else { throw scanner.unexpected("',' or ']'") }
    scanner.close()
    return messages
  }

  private static func message(_ scanner: inout JSONScanner, of channel: Channel) throws(JSONError) -> Message? {
    var position: MessagePosition?
    var text: String?
    var bytes: [UInt8]?
    try scanner.readMembers { scanner, member throws(JSONError) in
      if scanner.string(member, is: "position") {
        position = try scanner.textOrSkip().flatMap { MessagePosition($0) }
      } else if scanner.string(member, is: "message") {
        text = try scanner.textOrSkip()
      } else if scanner.string(member, is: "bytes") {
        bytes = try scanner.textOrSkip().flatMap { [UInt8](base64: $0.utf8) }
      } else {
        try scanner.skipValue()
      }
    }
    guard let position else { return nil }
    switch (text, bytes) {
    case (let text?, nil): return Message(text, to: channel, position: position)
    case (nil, let bytes?): return Message(bytes, to: channel, position: position)
    default: return nil
    }
  }
}

extension JSONScanner {
  /// The text of a string; nil for another value, which is stepped over.
  fileprivate mutating func textOrSkip() throws(JSONError) -> String? {
    guard next == .quote else {
      try skipValue()
      return nil
    }
    return text(of: try skipString())
  }

  fileprivate mutating func boolOrSkip() throws(JSONError) -> Bool? {
    let first = next
    try skipValue()
    switch first {
    case UInt8(ascii: "t"): return true
    case UInt8(ascii: "f"): return false
    default: return nil
    }
  }

  /// Steps over a value. True if that is null.
  fileprivate mutating func takeNull() throws(JSONError) -> Bool {
    let isNull = next == UInt8(ascii: "n")
    try skipValue()
    return isNull
  }
}
