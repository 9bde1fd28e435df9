//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import Broadcasting

/// The texts of the next deliveries; a gap is "gap:" and its count.
func texts(_ iterator: inout Subscription.Iterator, _ count: Int) async throws -> [String] {
  var texts: [String] = []
  while texts.count < count, let delivery = try await iterator.next() { texts.append(text(delivery)) }
  return texts
}

func text(_ delivery: Delivery) -> String {
  switch delivery {
  case .message(let message): message.text ?? "binary:\(message.payload)"
  case .gap(let gap): "gap:\(gap.missed.map(String.init) ?? "?"):\(gap.reason)"
  }
}
