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

/// Which loop the calling thread serves: Swift has no thread-local variables, so a key of pthreads.
enum CurrentLoop {
  private static let key = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    precondition(status == 0, "no key for thread-specific data is left (PTHREAD_KEYS_MAX)")
    return key
  }()

  static func set(_ loop: EventLoop?) {
    pthread_setspecific(key, loop.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) })
  }

  static func isCurrent(_ loop: EventLoop) -> Bool {
    pthread_getspecific(key) == Unmanaged.passUnretained(loop).toOpaque()
  }
}
