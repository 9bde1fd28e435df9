//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingRedis

let configuration = RedisBroadcast.Configuration { event in
  // For your log: a lost and found connection, what Redis refused, what is tried again.
  if event.kind == .connectionLost { print(event) }
}

try await withBroadcast("redis://localhost:6379", among: [.memory, .redis(configuration)]) { broadcast in
  try await broadcast.withSubscription(to: "orders") { orders in
    // On this machine or any other: who has subscribed gets it.
    try await broadcast.publish("one order", to: "orders")
    for try await delivery in orders {
      switch delivery {
      case .message(let order): print(order.text ?? "\(order.payload.count) bytes")
      // Redis was away, or this program read too slowly: messages may be missing here.
      case .gap: print("load all orders again")
      }
      break
    }
  }
}
