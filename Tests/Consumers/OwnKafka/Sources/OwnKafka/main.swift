//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingKafka

try await withBroadcast("kafka://localhost:9092", among: [.memory, .kafka]) { broadcast in
  try await broadcast.withSubscription(to: "orders") { orders in
    // Any program that writes a record to the topic "orders" publishes here too.
    try await broadcast.publish("one order", to: "orders")
    for try await delivery in orders {
      switch delivery {
      case .message(let order): print(order.text ?? "\(order.payload.count) bytes")
      // Kafka no longer had what came next, or this program read too slowly: messages are missing here.
      case .gap: print("load all orders again")
      }
      break
    }
  }
}
