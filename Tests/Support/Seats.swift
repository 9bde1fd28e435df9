//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// So many who may use something at a time; the others wait, and the first who came is the next.
final class Seats: Sendable {
  private struct State {
    var free: [Int]
    var waiters: [UnsafeContinuation<Int, Never>] = []
  }

  private let state: Lock<State>

  init(_ count: Int) { state = Lock(State(free: Array(0..<count))) }

  /// Runs `body` with the number of a seat, from 0 on.
  func with<Result>(_ body: (Int) async throws -> Result) async rethrows -> Result {
    let seat = await take()
    defer { give(seat) }
    return try await body(seat)
  }

  private func take() async -> Int {
    await withUnsafeContinuation { continuation in
      let seat: Int? = state.withLock { state in
        if !state.free.isEmpty { return state.free.removeFirst() }
        state.waiters.append(continuation)
        return nil
      }
      if let seat { continuation.resume(returning: seat) }
    }
  }

  private func give(_ seat: Int) {
    let next: UnsafeContinuation<Int, Never>? = state.withLock { state in
      if !state.waiters.isEmpty { return state.waiters.removeFirst() }
      state.free.append(seat)
      return nil
    }
    next?.resume(returning: seat)
  }
}
