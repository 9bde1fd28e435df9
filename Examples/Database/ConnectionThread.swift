//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A thread that runs the jobs of one actor, so that the actor may block: the pool of Swift's tasks has a thread for each core.
///
/// A job that comes after ``stop()`` still runs, on a thread that is made for it and ends with it.
// Sendable: all that is mutable is under `mutex`, which lives as long as this.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasWork = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [UnownedJob] = []
  private var isRunning = false
  private var isStopping = false
  private var waiter: CheckedContinuation<Void, Never>?

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(hasWork, nil)
  }

  deinit {
    pthread_cond_destroy(hasWork)
    pthread_mutex_destroy(mutex)
    hasWork.deallocate()
    mutex.deallocate()
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(mutex)
    jobs.append(job)
    let starts = !isRunning
    isRunning = true
    pthread_cond_signal(hasWork)
    pthread_mutex_unlock(mutex)
    // Where there is no thread to be had, whoever comes does the work: it is short where there is no connection.
    if starts, !startThread() { runJobs(untilIdle: true) }
  }

  /// Returns when the thread has run all its jobs and ends.
  func stop() async {
    await withCheckedContinuation { continuation in
      pthread_mutex_lock(mutex)
      isStopping = true
      let hasEnded = !isRunning
      if !hasEnded { waiter = continuation }
      pthread_cond_signal(hasWork)
      pthread_mutex_unlock(mutex)
      if hasEnded { continuation.resume() }
    }
  }

  private func runJobs(untilIdle: Bool = false) {
    pthread_mutex_lock(mutex)
    while true {
      while jobs.isEmpty, !isStopping, !untilIdle { pthread_cond_wait(hasWork, mutex) }
      if jobs.isEmpty { break }
      let batch = jobs
      jobs = []
      pthread_mutex_unlock(mutex)
      for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
      pthread_mutex_lock(mutex)
    }
    isRunning = false
    let waiter = waiter.take()
    pthread_mutex_unlock(mutex)
    waiter?.resume()
  }

  // MARK: The thread

  private func startThread() -> Bool {
    let this = Unmanaged.passRetained(self)
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(&thread, nil, Self.main, this.toOpaque())
    if status != 0 { this.release() }
    return status == 0
  }

  #if canImport(Darwin)
    private static let main: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = {
      run($0)
      return nil
    }
  #else
    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
      if let this = $0 { run(this) }
      return nil
    }
  #endif

  private static func run(_ this: UnsafeMutableRawPointer) {
    // Nobody joins it, which would block the joiner: its last act tells of its end.
    pthread_detach(pthread_self())
    // A write to a connection that broke is an error, and not the end of the program.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    Unmanaged<ConnectionThread>.fromOpaque(this).takeRetainedValue().runJobs()
  }
}
