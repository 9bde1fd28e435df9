//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Somebody's program that uses the library in its own process and nothing else of it.
try await withBroadcast("memory://", among: [.memory]) { broadcast in
  try await broadcast.withSubscription(to: "news") { subscription in
    try await broadcast.publish("hello", to: "news")
    for try await message in subscription.messages() {
      print("received \(message.text ?? "(binary)")")
      return
    }
  }
}
