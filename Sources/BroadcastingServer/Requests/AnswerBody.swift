//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting
import BroadcastingWeb

/// The bodies that the server answers with, as JSON text.
package enum AnswerBody {
  /// `{"channel": …, "message": …, "position": …}`, with the message's text as a JSON string.
  /// - Parameters:
  ///   - message: what was published, which is UTF-8.
  ///   - position: left out where the message has none.
  package static func pushed(
    channel: String, message: ArraySlice<UInt8>, position: MessagePosition? = nil
  ) -> [UInt8] {
    var body: [UInt8] = []
    // Room for a message in which one byte of eight has to be escaped.
    body.reserveCapacity(message.count + message.count / 8 + channel.utf8.count + 100)
    body.append(contentsOf: "{\"channel\": ".utf8)
    JSONWriter.append(channel, to: &body)
    body.append(contentsOf: ", \"message\": ".utf8)
    message.withUnsafeBufferPointer { JSONWriter.append($0, to: &body) }
    append(position, to: &body)
    body.append(.closeBrace)
    return body
  }

  /// `{"channel": …, "bytes": …, "position": …}`, for a binary message, which JSON has no text for.
  package static func pushed(channel: String, bytes: Int, position: MessagePosition? = nil) -> [UInt8] {
    var body = Array("{\"channel\": ".utf8)
    JSONWriter.append(channel, to: &body)
    body.append(contentsOf: ", \"bytes\": \(bytes)".utf8)
    append(position, to: &body)
    body.append(.closeBrace)
    return body
  }

  private static func append(_ position: MessagePosition?, to body: inout [UInt8]) {
    if let position { body.append(contentsOf: ", \"position\": \"\(position)\"".utf8) }
  }

  /// What a channel has kept: `{"channel": …, "head": …, "complete": …, "more": …, "messages": [{"position": …, "message": …}]}`,
  /// with `bytes` in base64 in place of `message` where it is binary. `head` is null while there never was a message.
  package static func history(_ history: History) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(history.messages.reduce(200) { $0 + $1.payload.count + $1.payload.count / 8 + 100 })
    body.append(contentsOf: "{\"channel\": ".utf8)
    JSONWriter.append(history.channel.name, to: &body)
    body.append(contentsOf: ", \"head\": \(history.head.map { "\"\($0)\"" } ?? "null")".utf8)
    body.append(contentsOf: ", \"complete\": \(history.isComplete), \"more\": \(history.hasMore), \"messages\": [".utf8)
    for (index, message) in history.messages.enumerated() {
      body.append(contentsOf: (index == 0 ? "" : ", ").utf8)
      body.append(contentsOf: "{\"position\": \(message.position.map { "\"\($0)\"" } ?? "null")".utf8)
      switch message.kind {
      case .text:
        body.append(contentsOf: ", \"message\": ".utf8)
        message.payload.withUnsafeBufferPointer { JSONWriter.append($0, to: &body) }
        body.append(.closeBrace)
      case .binary:
        body.append(contentsOf: ", \"bytes\": \"\(Base64.encode(message.payload))\"}".utf8)
      }
    }
    body.append(contentsOf: "]}".utf8)
    return body
  }

  /// `{"error": {"code": …, "message": …}}`
  package static func error(code: String, message: String) -> [UInt8] {
    var body: [UInt8] = []
    body.append(contentsOf: "{\"error\": {\"code\": ".utf8)
    JSONWriter.append(code, to: &body)
    body.append(contentsOf: ", \"message\": ".utf8)
    JSONWriter.append(message, to: &body)
    body.append(contentsOf: "}}".utf8)
    return body
  }
}
