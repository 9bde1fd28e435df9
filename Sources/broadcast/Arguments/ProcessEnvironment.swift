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

/// The variables that the program was started with.
enum ProcessEnvironment {
  /// Nil for one that is not set.
  static func value(of name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
