//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// The handles of a session, which are made on a thread while the session may end: its end destroys them all, also one that
/// comes later. All that it does blocks, but ``disableNotices()``.
final class OpenHandles: Sendable {
  private struct State: Sendable {
    var handles: [KafkaHandle] = []
    var hasEnded = false
  }

  private let state = Lock(State())

  func makeProducer(_ properties: KafkaProperties) throws(KafkaFailure) -> ProducerHandle {
    let producer = try ProducerHandle(properties)
    try add(producer.handle)
    return producer
  }

  func makeConsumer(
    _ properties: KafkaProperties, hint: @escaping @Sendable () -> Void
  ) throws(KafkaFailure) -> ConsumerHandle {
    let consumer = try ConsumerHandle(properties, hint: hint)
    try add(consumer.handle)
    return consumer
  }

  private func add(_ handle: KafkaHandle) throws(KafkaFailure) {
    let isTaken = state.withLock { state in
      if !state.hasEnded { state.handles.append(handle) }
      return !state.hasEnded
    }
    guard !isTaken else { return }
    handle.destroy()
    throw .destroyed
  }

  func destroy(_ handle: KafkaHandle) {
    state.withLock { $0.handles.removeAll { $0 === handle } }
    handle.destroy()
  }

  func destroyAll() {
    let handles = state.withLock { state in
      state.hasEnded = true
      defer { state.handles = [] }
      return state.handles
    }
    for handle in handles { handle.destroy() }
  }

  /// Before the descriptor is closed to which they write.
  func disableNotices() { for handle in state.withLock({ $0.handles }) { handle.disableNotices() } }
}
