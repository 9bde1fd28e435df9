//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension EventLoop {
  /// Suspends the caller for `duration`, by a timer of this loop.
  ///
  /// - Throws: ``NetworkError`` with `cancelled`, or with `closed` when the loop ends.
  package func sleep(for duration: Duration) async throws(NetworkError) { try await Sleep(on: self).run(duration) }
}

private actor Sleep {
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private var sleeper: UnsafeContinuation<Void, Never>?
  private var isOver = false

  init(on loop: EventLoop) { self.loop = loop }

  func run(_ duration: Duration) async throws(NetworkError) {
    let timer = try LoopTimer(on: loop)
    timer.whenClosed = { self.wake() }
    timer.start(after: duration) {
      self.isOver = true
      self.wake()
    }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        // A cancellation from elsewhere that comes later is run by the loop after this. The timer may have been quicker
        // than a task that does not prefer the loop.
        if Task.isCancelled || isOver || timer.isClosed { continuation.resume() } else { sleeper = continuation }
      }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.wake() } }
    }
    let isClosed = timer.isClosed
    timer.close()
    if isOver { return }
    throw isClosed ? .loopEnded("sleep") : NetworkError(.cancelled, "sleep: the task was cancelled")
  }

  private func wake() { sleeper.take()?.resume() }
}
