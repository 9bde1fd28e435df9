//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import TestSupport
import Testing

@testable import BroadcastingServer

extension LiveGapTests {
  enum Naming: CaseIterable { case none, one, each }

  @Test("what many sockets cost a loop grows with their number, not with its square", arguments: Naming.allCases)
  func manySockets(naming: Naming) async throws {
    #if TSAN
      let count = 2_000
    #else
      let count = 20_000
    #endif
    let changes = LiveChanges(of: ["ledger"]) { message in
      LiveChange(message.text ?? "", version: message.text.flatMap { UInt64($0) })
    }
    let feeds = Lock<[SocketFeed]>([])
    try await withBroker(routes: { routes in
      routes.live("/real") { _ in
        LiveResource(changes, sharedName: naming == .one ? "all" : nil) { LiveState("=", version: 1) }
      }
      // Sockets that are still to come, which cost no descriptors.
      routes.get("/join") { request in
        for number in 0..<count {
          let name: String? =
            switch naming {
            case .none: nil
            case .one: "all"
            case .each: "\(number)"
            }
          let resource = LiveResource(changes, sharedName: name) { LiveState("=", version: 1) }
          let feed = SocketFeed(try await request.fanOut.join(resource))
          feeds.withLock { $0.append(feed) }
        }
        return .empty()
      }
    }) { driver, server in
      // It is more than a minute where each socket looks at all others.
      let client = try await server.connect()
      let duration = try await ContinuousClock().measure {
        _ = try await client.request(.get, "/join")
        // One that their states include, and one that they do not.
        for text in ["1", "2"] { try await server.broadcast.publish(text, to: "ledger") }
        try await settle { server.broadcast.statistics.bytesHeld == 0 }
        driver.script.withLock { $0.inbox }?.missed(1, on: "ledger")
        // Where they have one name it reads for all.
        let real = try await server.subscriber("/real")
        #expect(await real.texts(1) == ["="])
        feeds.withLock { $0 = [] }
        await real.leave()
        try await settle { server.broadcast.statistics.subscribers == 0 }
      }
      #expect(duration < .seconds(20))
    }
  }
}
