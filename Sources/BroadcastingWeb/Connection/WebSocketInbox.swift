//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Messages that wait for the receiver. An idle socket holds nothing of it.
struct WebSocketInbox {
  /// Messages, and bytes in them, that may wait before reading stops.
  private static let fullMessages = 16
  private static let fullBytes = 64 * 1024

  private var messages: [WebSocketMessage] = []
  private var byteCount = 0
  /// Messages at the front that have been taken already.
  private var taken: Int32 = 0

  var isEmpty: Bool { messages.isEmpty }
  var isFull: Bool { messages.count >= Self.fullMessages || byteCount >= Self.fullBytes }

  mutating func append(_ message: WebSocketMessage) {
    messages.append(message)
    byteCount += message.bytes.count
  }

  /// All that wait, in their order.
  mutating func takeAll() -> [WebSocketMessage] {
    defer { self = WebSocketInbox() }
    return taken == 0 ? messages : Array(messages[Int(taken)...])
  }

  mutating func popFirst() -> WebSocketMessage? {
    if messages.isEmpty { return nil }
    let message = messages[Int(taken)]
    taken += 1
    byteCount -= message.bytes.count
    if taken == messages.count {
      // The room goes too.
      messages = []
      taken = 0
    }
    return message
  }
}
