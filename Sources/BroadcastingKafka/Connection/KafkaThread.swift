//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork
import CUV

/// A thread for calls of librdkafka that block: it does one job after the other, and answers on the loop. While there is none
/// it sleeps.
final class KafkaThread: Sendable {
  private struct Jobs: Sendable {
    var waiting: [@Sendable () -> Void] = []
    var hasEnded = false
  }

  // Sendable: the pointer is constant, and libuv's semaphores are for any thread.
  private final class Semaphore: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<uv_sem_t>

    init() throws(NetworkError) {
      let pointer = UnsafeMutablePointer<uv_sem_t>.allocate(capacity: 1)
      guard uv_sem_init(pointer, 0) == 0 else {
        pointer.deallocate()
        throw NetworkError(.system, "A semaphore could not be made.")
      }
      self.pointer = pointer
    }

    deinit {
      uv_sem_destroy(pointer)
      pointer.deallocate()
    }

    func signal() { uv_sem_post(pointer) }
    func wait() { uv_sem_wait(pointer) }
  }

  private let loop: EventLoop
  private let jobs = Lock(Jobs())
  private let semaphore: Semaphore

  init(answeringOn loop: EventLoop) throws(NetworkError) {
    self.loop = loop
    semaphore = try Semaphore()
    let status = DetachedThread.start { self.work() }
    guard status == 0 else {
      throw NetworkError(.system, "A thread could not be started.", errno: status)
    }
  }

  /// Does `job` on the thread, and calls `then` on the loop with what it gives. After ``end()`` neither is called.
  func run<T: Sendable>(_ job: @escaping @Sendable () -> T, then: @escaping @Sendable (T) -> Void) {
    let loop = self.loop
    add {
      let result = job()
      loop.execute { then(result) }
    }
  }

  /// Ends the thread once all jobs that it has are done. It is not waited for.
  func end() {
    let isFirst = jobs.withLock { jobs in
      defer { jobs.hasEnded = true }
      return !jobs.hasEnded
    }
    if isFirst { semaphore.signal() }
  }

  private func add(_ job: @escaping @Sendable () -> Void) {
    let isTaken = jobs.withLock { jobs in
      if !jobs.hasEnded { jobs.waiting.append(job) }
      return !jobs.hasEnded
    }
    if isTaken { semaphore.signal() }
  }

  private func work() {
    var hasEnded = false
    while !hasEnded {
      semaphore.wait()
      let due: [@Sendable () -> Void]
      (due, hasEnded) = jobs.withLock { jobs in
        defer { jobs.waiting = [] }
        return (jobs.waiting, jobs.hasEnded)
      }
      for job in due { job() }
    }
  }
}
