//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Waits for signals of the process, such as SIGTERM. While it is open, a watched signal does nothing by itself.
package actor SignalWatch {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let numbers: [Int32]
  private var handles: [SignalHandle] = []
  /// Each number once, however often it came: as the kernel does it.
  private var arrived: [Int32] = []
  private var waiters = Waiters()
  private var isClosed = false

  package init(_ numbers: [Int32], on loop: EventLoop) {
    self.numbers = numbers
    self.loop = loop
  }

  /// Watches from now on.
  ///
  /// - Throws: ``NetworkError``, for instance for a number that no one can catch, as SIGKILL.
  package func open() throws(NetworkError) {
    guard handles.isEmpty, !isClosed else { return }
    for number in numbers {
      do {
        let handle = try SignalHandle(number, on: loop) { self.came(number) }
        handle.whenClosed = { self.close() }
        handles.append(handle)
      } catch {
        close()
        throw error
      }
    }
  }

  /// The next signal; nil once it is closed or the task is cancelled. It opens the watch if need be.
  package func next() async throws(NetworkError) -> Int32? {
    try open()
    while arrived.isEmpty {
      if isClosed || Task.isCancelled { return nil }
      let ticket = waiters.newTicket()
      await withTaskCancellationHandler {
        await withUnsafeContinuation { continuation in
          if arrived.isEmpty, !isClosed, !Task.isCancelled {
            waiters.add(continuation, ticket)
          } else {
            continuation.resume()
          }
        }
      } onCancel: {
        loop.execute { self.assumeIsolated { $0.waiters.wake(ticket) } }
      }
    }
    return arrived.removeFirst()
  }

  /// Gives the signals back to the system's own handling and wakes all who wait.
  package func close() {
    isClosed = true
    for handle in handles { handle.close() }
    handles = []
    waiters.wakeAll()
  }

  private func came(_ number: Int32) {
    if !arrived.contains(number) { arrived.append(number) }
    waiters.wakeFirst()
  }
}

private final class SignalHandle: LoopHandle {
  private var onSignal: (() -> Void)?
  var whenClosed: (() -> Void)?

  init(_ number: Int32, on loop: EventLoop, onSignal: @escaping () -> Void) throws(NetworkError) {
    try super.init(on: loop, uv_signal_t.self, for: "watch for signal \(number)")
    uv_signal_init(loop.uv, pointer(as: uv_signal_t.self))
    self.onSignal = onSignal
    register()
    let status = uv_signal_start(pointer(as: uv_signal_t.self), signalCame, number)
    if status != 0 {
      close()
      throw NetworkError("watch for signal \(number)", status: status)
    }
  }

  override func didClose() {
    onSignal = nil
    whenClosed.take()?()
  }

  fileprivate func came() { onSignal?() }
}

private func signalCame(_ handle: UnsafeMutablePointer<uv_signal_t>?, _ number: Int32) {
  guard let data = handle?.pointee.data else { return }
  Unmanaged<SignalHandle>.fromOpaque(data).takeUnretainedValue().came()
}
