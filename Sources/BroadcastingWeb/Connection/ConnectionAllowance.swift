//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork

/// How many connections a server may have open, over all of its loops.
package final class ConnectionAllowance: Sendable {
  private struct State {
    var left: Int
    /// Somebody could not take one, and is to be told when there is one.
    var isWanted = false
    var services: [ObjectIdentifier: HTTPService] = [:]
  }
  private let state: Lock<State>

  package init(_ count: Int) { state = Lock(State(left: count)) }

  func join(_ service: HTTPService) { state.withLock { $0.services[ObjectIdentifier(service)] = service } }

  func leave(_ service: HTTPService) { state.withLock { $0.services[ObjectIdentifier(service)] = nil } }

  /// Counts one more connection. False if there may be no more; then all services are told when one has gone.
  func take() -> Bool {
    state.withLock { state in
      if state.left > 0 {
        state.left -= 1
        return true
      }
      state.isWanted = true
      return false
    }
  }

  func giveBack() {
    let told: [HTTPService] = state.withLock { state in
      state.left += 1
      guard state.isWanted, state.left > 0 else { return [] }
      state.isWanted = false
      return Array(state.services.values)
    }
    for service in told { service.loop.execute { service.assumeIsolated { $0.tryAgain() } } }
  }

  /// Has each service drop up to `count` connections that wait for a request: those who say nothing may be on any loop.
  func makeRoom(_ count: Int) {
    let asked = state.withLock { Array($0.services.values) }
    for service in asked { service.loop.execute { service.assumeIsolated { $0.dropWaiting(count) } } }
  }
}
