//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if TSAN
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #else
    import Darwin
  #endif

  /// A lock round a value, in the shape of `Synchronization.Mutex`.
  ///
  /// The thread sanitizer on Linux does not know `Mutex`, which waits on a bare futex, and reports every access that it
  /// guards as a race. With `-Xswiftc -DTSAN` the lock is a `pthread_mutex_t`, which the sanitizer does know.
  // Sendable: both pointers are set once; what they point at is touched only between lock and unlock.
  public struct Lock<Value>: ~Copyable, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    public init(_ initial: consuming sending Value) {
      pthread_mutex_init(mutex, nil)
      value.initialize(to: initial)
    }

    public borrowing func withLock<Result, Failure: Error>(
      _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      return try body(&value.pointee)
    }

    deinit {
      pthread_mutex_destroy(mutex)
      mutex.deallocate()
      value.deinitialize(count: 1)
      value.deallocate()
    }
  }
#else
  public import Synchronization

  /// A lock round a value: `Synchronization.Mutex`, but for builds under the thread sanitizer (see the other half).
  @frozen
  public struct Lock<Value>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>

    @inlinable
    public init(_ initial: consuming sending Value) { mutex = Mutex(initial) }

    /// Runs `body` with the value while no other thread can touch it. Keep it short: no `await`, nothing that
    /// may call back, no continuation resumed inside.
    @inlinable
    public borrowing func withLock<Result, Failure: Error>(
      _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      try mutex.withLock(body)
    }
  }
#endif
