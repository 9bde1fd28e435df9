//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

var configuration = HubConfiguration()
configuration.history = [.init("chat.*", HistoryPolicy(maximumMessages: 50))]

try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
  let receipt = try await broadcast.publish("hello", to: "chat.lobby")
  try await broadcast.publish("anybody?", to: "chat.lobby")
  // Whoever comes now begins with the last 50 messages, and goes on with what is published.
  let chat = try await broadcast.subscribe(to: "chat.lobby", from: .last(50))
  // Whoever comes back begins behind the last message that he had.
  let back = try await broadcast.subscribe(to: "chat.lobby", from: .after(receipt.position ?? .beginning))
  print(back.recovered ? "nothing is missing" : "load all messages again")
  try await broadcast.withPresence(on: "chat.lobby", as: "ada", info: "from Turin") {
    print(try await broadcast.presence(of: "chat.lobby").map(\.name))
  }
  for try await message in chat.messages() {
    print(message.text ?? "\(message.payload.count) bytes")
    if message.position == back.recovery(of: "chat.lobby")?.head { break }
  }
}
