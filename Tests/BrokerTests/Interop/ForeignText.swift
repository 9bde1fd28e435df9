//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Text that others on the same broker must get, and we from them, byte for byte.
enum ForeignText {
  static let all = [
    "plain", "", " ", "é, e\u{301} and 🎉", "it's \"quoted\"; \\ and $1 %s", "two\nlines\r\n", "{\"json\": [1, null]}",
    String(repeating: "long ", count: 1_500),
  ]

  static func digits(_ text: String) -> String {
    text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Publishes one text after the other, and says how each arrives at a subscription of ours.
  static func arrivals(
    of texts: [String], at broadcast: any Broadcast, on channel: Channel, publish: (String) async throws -> Void
  ) async throws -> [Message] {
    let subscription = try await broadcast.subscribe(to: channel)
    defer { subscription.cancel() }
    var deliveries = subscription.makeAsyncIterator()
    var arrived: [Message] = []
    for text in texts {
      try await publish(text)
      guard case .message(let message) = try await deliveries.next() else { break }
      arrived.append(message)
    }
    return arrived
  }
}
