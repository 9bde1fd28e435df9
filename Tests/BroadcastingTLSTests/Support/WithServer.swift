//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import TestSupport

/// What a test needs to connect.
struct Meeting: Sendable {
  var loop: EventLoop
  var port: UInt16
  var certificates: TestCertificates

  /// A context that trusts the tests' authority.
  var trusting: TLSContext { TLSContext(TLSConfiguration(trust: .file(certificates.authority))) }

  func connect(
    to host: String = "localhost", _ tls: TLSContext? = nil, protocols: [String] = [],
    within deadline: Duration = .seconds(30)
  ) async throws(NetworkError) -> ClientConnection {
    ClientConnection(
      try await loop.connect(
        to: host, port: port, tls: tls ?? trusting, protocols: protocols, within: deadline), on: loop)
  }

  /// The error of an attempt that must fail.
  func refusal(
    to host: String = "localhost", _ tls: TLSContext? = nil, protocols: [String] = [],
    within deadline: Duration = .seconds(30)
  ) async -> NetworkError? {
    do throws(NetworkError) {
      await (try connect(to: host, tls, protocols: protocols, within: deadline)).close()
      return nil
    } catch {
      return error
    }
  }
}

/// The certificates of this run: made once, for they are only read.
let certificates = Result { try TestCertificates() }

/// Runs `body` beside a server that treats each connection by `serve`, on one loop.
func withServer(
  _ change: @Sendable (inout ServerRules, TestCertificates) throws -> Void = { _, _ in },
  serve: @escaping @Sendable (ServerConnection) async throws -> Void,
  body: @Sendable (Meeting) async throws -> Void
) async throws {
  let certificates = try certificates.get()
  var rules = ServerRules(files: certificates.server)
  try change(&rules, certificates)
  try await withEventLoops(count: 1) { [rules] loops in
    let loop = loops[0]
    try await withTaskExecutorPreference(loop) {
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let listener = try Listener(sockets, on: loop)
      try await withThrowingTaskGroup { group in
        group.addTask(executorPreference: loop) {
          try await withThrowingDiscardingTaskGroup { group in
            while let stream = try await listener.accept() {
              let connection = try ServerConnection(stream, rules, on: loop)
              group.addTask(executorPreference: loop) {
                try await serve(connection)
                await connection.close()
              }
            }
          }
        }
        try await body(Meeting(loop: loop, port: sockets.addresses[0].port, certificates: certificates))
        await listener.close()
        try await group.waitForAll()
      }
    }
  }
}

func text(_ string: String) -> [UInt8] { Array(string.utf8) }

/// Bytes whose order can be seen.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 31 &+ ($0 + seed) >> 8) }
}
