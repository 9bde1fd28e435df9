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

/// A thread of our own, for what may block: the pool that runs Swift's tasks has as many threads as there are cores.
/// It is never joined, which would block the joiner; whoever needs its end is told by its last act.
package enum DetachedThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Gives back the system's error number, or 0. After an error `run` is never called.
  package static func start(_ run: @escaping @Sendable () -> Void) -> Int32 {
    let body = Unmanaged.passRetained(Body(run))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(&thread, nil, detachedThreadMain, body.toOpaque())
    if status != 0 { body.release() }
    return status
  }

  #if canImport(Darwin)
    private static let detachedThreadMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = {
      main($0)
      return nil
    }
  #else
    private static let detachedThreadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
      if let body = $0 { main(body) }
      return nil
    }
  #endif

  private static func main(_ body: UnsafeMutableRawPointer) {
    pthread_detach(pthread_self())
    // A write to a broken connection raises SIGPIPE on the thread that writes. Masked here it is an error code and no
    // more, and the process keeps whatever it wants to do about that signal.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run()
  }
}
