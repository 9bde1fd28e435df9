//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// A value that one party waits for and any of several threads may bring: the first counts, the others are told so.
package final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case awaited(UnsafeContinuation<Value, Never>)
    case filled(Value)
    case handedOver
  }
  private let state = Lock(State.empty)

  package init() {}

  @discardableResult
  package func fill(_ value: Value) -> Bool {
    let (isFirst, waiter): (Bool, UnsafeContinuation<Value, Never>?) = state.withLock { state in
      switch state {
      case .empty:
        state = .filled(value)
        return (true, nil)
      case .awaited(let waiter):
        state = .handedOver
        return (true, waiter)
      case .filled, .handedOver:
        return (false, nil)
      }
    }
    waiter?.resume(returning: value)
    return isFirst
  }

  /// To be called once.
  package func value() async -> Value {
    await withUnsafeContinuation { continuation in
      let ready: Value? = state.withLock { state in
        if case .filled(let value) = state {
          state = .handedOver
          return value
        }
        state = .awaited(continuation)
        return nil
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }
}
