//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What takes long to make, and is made once, for whoever asks first and all who ask later.
actor Once<Value: Sendable> {
  private enum State {
    case none
    case making([UnsafeContinuation<Void, Never>])
    case made(Value)
  }

  private let make: @Sendable () async throws -> Value
  private var state = State.none

  init(_ make: @escaping @Sendable () async throws -> Value) { self.make = make }

  /// A failure is for who asked first alone: the next one who asks makes it again.
  func value() async throws -> Value {
    while true {
      switch state {
      case .made(let value):
        return value
      case .making:
        await withUnsafeContinuation { continuation in
          if case .making(let waiters) = state {
            state = .making(waiters + [continuation])
          } else {
            continuation.resume()
          }
        }
      case .none:
        state = .making([])
        let result: Result<Value, any Error>
        do { result = .success(try await make()) } catch { result = .failure(error) }
        if case .making(let waiters) = state { for waiter in waiters { waiter.resume() } }
        state = .none
        let value = try result.get()
        state = .made(value)
      }
    }
  }
}
