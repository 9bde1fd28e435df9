//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EchoServerTests {
  /// How often each client is answered before all are cancelled: counted together, a loop that gets a processor first
  /// would answer its own clients only.
  private static let rounds = 5

  @Test("200 clients on two loops, cancelled while they are busy: all ends and the address is free again")
  func cancelled() async throws {
    var port: UInt16 = 0
    for _ in 0..<2 {
      let bound = try await runOnce(port: port)
      if port != 0 { #expect(bound == port) }
      port = bound
    }
  }

  private func runOnce(port: UInt16) async throws -> UInt16 {
    try await withEventLoops(count: 2) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: port, count: loops.count)
      let address = sockets.addresses[0]
      let servers = try loops.map { try EchoServer(sockets, on: $0) }
      try await withEventLoops(count: 1) { clientLoops in
        let progress = Progress(target: 200 * Self.rounds)
        await withTaskGroup(of: Void.self) { group in
          group.addTask {
            await withDiscardingTaskGroup { group in
              for server in servers { group.addTask(executorPreference: server.loop) { try? await server.serve() } }
              for number in 0..<200 {
                group.addTask(executorPreference: clientLoops[0]) {
                  await Self.talk(to: address, number, on: clientLoops[0], progress)
                }
              }
            }
          }
          await progress.reached()
          group.cancelAll()
        }
      }
      for loop in loops {
        #expect(await Count(loop: loop).handles == 0)
      }
      var served = 0
      for server in servers { served += await server.served }
      #expect(served == 200)
      return address.port
    }
  }

  /// Talks until it is cancelled.
  private static func talk(to address: SocketAddress, _ number: Int, on loop: EventLoop, _ progress: Progress) async {
    guard let stream = try? await loop.connect(to: address, within: .seconds(20)) else { return }
    let connection = LineConnection(stream, on: loop)
    await withTaskCancellationHandler {
      var round = 0
      while !Task.isCancelled {
        let line = text("client \(number), round \(round)")
        await connection.write(line + [10])
        guard let answer = await connection.line() else { break }
        #expect(answer == line)
        round += 1
        if round <= Self.rounds { await progress.step() }
      }
      await connection.close()
    } onCancel: {
      loop.execute { connection.assumeIsolated { $0.close() } }
    }
  }
}
