//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Starts a program that listens and can't be asked to choose a port by itself: tries some, until one is free.
///
/// - Parameter start: starts it on a port, and returns when it listens.
func startOnFreePort<Program>(_ start: (Int) async throws -> Program) async throws -> (port: Int, program: Program) {
  // Below the ports which systems give to who connects.
  var candidates = (0..<20).map { _ in Int.random(in: 20_000..<32_000) }
  while true {
    let port = candidates.removeLast()
    do {
      return (port, try await start(port))
    } catch let error as ProgramError where error.code == .ended && !candidates.isEmpty {
      guard error.message.contains("Address already in use") else { throw error }
    }
  }
}

/// Ports of this machine on which nobody listens now, below those which systems give to who connects. Somebody may take one
/// before it is used.
func freePorts(_ count: Int) async throws -> [Int] {
  var ports: [Int] = []
  while ports.count < count {
    let port = Int.random(in: 20_000..<32_000)
    guard !ports.contains(port), (try? await ListeningSockets.bind(host: "127.0.0.1", port: UInt16(port))) != nil else {
      continue
    }
    ports.append(port)
  }
  return ports
}
