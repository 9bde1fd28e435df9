//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

@testable import BroadcastingClient

@Suite("Those who wait for a connection", .timeLimit(.minutes(1)))
struct PushConnectionsTests {
  @Test("one whose time is over is told so although new ones keep coming")
  func expiresUnderLoad() async throws {
    let server = try SilentServer()
    try await withEventLoops(count: 1) { loops in
      let url = try ServerURL(BackendURL("http://127.0.0.1:\(server.port)"))
      let connections = PushConnections(
        Dialer(url, RemoteBroadcast.Configuration(), on: loops[0]), limit: 1, timeout: .seconds(1))
      let held = try await connections.lend(by: .now + .seconds(1000))
      let told = await withTaskGroup(of: BroadcastError?.self) { group in
        group.addTask { await failure { _ = try await connections.lend(by: .now + .milliseconds(1)) } }
        group.addTask {
          await withDiscardingTaskGroup { others in
            while !Task.isCancelled {
              others.addTask { _ = try? await connections.lend(by: .now + .seconds(1000)) }
              // New ones come more often than those who wait are looked at.
              try? await Task.sleep(for: .milliseconds(20))
            }
          }
          return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
      }
      #expect(told?.code == .timedOut && told?.outcome == .notSent)
      await connections.takeBack(held)
      await connections.close(RemoteError.ended)
    }
  }
}
