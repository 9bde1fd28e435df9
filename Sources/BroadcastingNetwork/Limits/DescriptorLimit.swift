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

/// How many descriptors, and so sockets, the process may have.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one, which needs no privilege, and gives back what holds then. The limit is left
  /// as it is where the system refuses.
  @discardableResult
  public static func raise() -> Int {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = highest(limit.rlim_max)
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  #if canImport(Glibc)
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
  #else
    private static var resource: Int32 { RLIMIT_NOFILE }
  #endif

  private static func highest(_ hard: rlim_t) -> rlim_t {
    #if canImport(Darwin)
      // macOS says the hard limit is infinite, and takes no more than OPEN_MAX: setrlimit(2).
      min(hard, rlim_t(OPEN_MAX))
    #else
      hard
    #endif
  }
}
