//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingPostgres

try await withBroadcast("postgres://app:secret@localhost/app", among: [.memory, .postgres]) { broadcast in
  try await broadcast.withSubscription(to: "orders") { orders in
    // Any program on this database could as well say: SELECT pg_notify('orders', 'one order')
    try await broadcast.publish("one order", to: "orders")
    for try await order in orders.messages(onGap: .throw) {
      print(order.text ?? "\(order.payload.count) bytes")
      break
    }
  }
}
