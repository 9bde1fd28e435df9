//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingClient

var configuration = RemoteBroadcast.Configuration()
configuration.headers = ["Authorization": "Bearer secret"]

try await withBroadcast("http://localhost:8080", among: [.remote(configuration)]) { broadcast in
  try await broadcast.withSubscription(to: "orders") { orders in
    try await broadcast.publish("one order", to: "orders")
    for try await delivery in orders {
      switch delivery {
      case .message(let order): print(order.text ?? "\(order.payload.count) bytes")
      // It was away, and is back: messages may be missing here.
      case .gap: print("load all orders again")
      }
      break
    }
  }
}
