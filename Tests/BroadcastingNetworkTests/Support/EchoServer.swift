//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Accepts on one loop and serves each connection in a child task there.
actor EchoServer {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let listener: Listener
  private(set) var served = 0

  init(_ sockets: ListeningSockets, on loop: EventLoop) throws {
    self.loop = loop
    listener = try Listener(sockets, on: loop)
  }

  func serve() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      while let stream = try await listener.accept() {
        served += 1
        let connection = LineConnection(stream, on: loop)
        group.addTask(executorPreference: loop) { await connection.echo() }
      }
    }
    await listener.close()
  }
}

extension Listener {
  nonisolated func acceptConnection() async throws -> LineConnection? {
    guard let stream = try await accept() else { return nil }
    return LineConnection(stream, on: loop)
  }
}

/// Two ends of one connection, both on `loop`.
func withPair(
  _ body: (EventLoop, _ client: LineConnection, _ server: LineConnection) async throws -> Void
) async throws {
  try await withEventLoops(count: 1) { loops in
    let loop = loops[0]
    try await withTaskExecutorPreference(loop) {
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      let client = LineConnection(
        try await loop.connect(to: sockets.addresses[0], within: .seconds(10)), on: loop)
      guard let accepted = try await listener.accept() else { throw NetworkError(.closed, "nothing to accept") }
      let server = LineConnection(accepted, on: loop)
      await listener.close()
      try await body(loop, client, server)
      await client.close()
      await server.close()
    }
  }
}

func text(_ string: String) -> [UInt8] { Array(string.utf8) }
