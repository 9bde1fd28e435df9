//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingClient
import BroadcastingJSON
import Foundation

@Sendable func say(_ line: String) {
  print(line)
  fflush(nil)
}

let configuration = RemoteBroadcast.Configuration { event in
  // It comes back by itself: soon at first, after 5 s at most.
  if event.kind == .connectionLost, event.channel == nil { say("connection lost, trying again") }
}
let url = ProcessInfo.processInfo.environment["BROADCAST_URL"] ?? "ws://localhost:1234"
try await withBroadcast(url, among: [.remote(configuration)]) { broadcast in
  try await broadcast.withSubscription(to: "events") { events in
    say("connected")
    for try await delivery in events {
      switch delivery {
      case .message(let message): say((try? message.decoded(as: String.self)) ?? message.text ?? "not text")
      case .gap: say("connected again, messages may be missing here")
      }
    }
  }
}
