//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// Package.swift: .package(url: "<git URL of this repository>", branch: "main"),
//                .product(name: "Broadcasting", package: "swift-broadcast")
import Broadcasting

try await withBroadcast("memory://", among: [.memory]) { broadcast in
  try await broadcast.withSubscription(to: "chat") { subscription in
    // Inside this closure you are subscribed: what is published from here on arrives.
    try await broadcast.publish("hello", to: "chat")
    for try await delivery in subscription {
      switch delivery {
      case .message(let message): print(message.text ?? "\(message.payload.count) bytes")
      case .gap(let gap): print("missed", gap.missed.map(String.init) ?? "some", "messages")
      }
      break
    }
  }
}
