//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The bodies that the server answers with, as JSON text.
package enum AnswerBody {
  /// `{"channel": …, "message": …}`, with the message's text as a JSON string.
  /// - Parameter message: what was published, which is UTF-8.
  package static func pushed(channel: String, message: ArraySlice<UInt8>) -> [UInt8] {
    var body: [UInt8] = []
    // Room for a message in which one byte of eight has to be escaped.
    body.reserveCapacity(message.count + message.count / 8 + channel.utf8.count + 40)
    body.append(contentsOf: "{\"channel\": ".utf8)
    JSONWriter.append(channel, to: &body)
    body.append(contentsOf: ", \"message\": ".utf8)
    message.withUnsafeBufferPointer { JSONWriter.append($0, to: &body) }
    body.append(.closeBrace)
    return body
  }

  /// `{"channel": …, "bytes": …}`, for a binary message, which JSON has no text for.
  package static func pushed(channel: String, bytes: Int) -> [UInt8] {
    var body = Array("{\"channel\": ".utf8)
    JSONWriter.append(channel, to: &body)
    body.append(contentsOf: ", \"bytes\": \(bytes)}".utf8)
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
