//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The path of a request, cut into segments. Escapes are resolved after the cut, so that `%2F` is a character of a
/// segment and not a slash.
struct RoutePath {
  private(set) var bytes: [UInt8] = []
  private(set) var segments: [Range<Int>] = []

  enum Failure: Error {
    /// There are more segments than any route has.
    case tooDeep
    /// Not a path, a `%` without two hexadecimal digits, or something that is not UTF-8.
    case malformed
  }

  /// - Parameter path: the request's path without its query.
  init(_ path: UnsafeBufferPointer<UInt8>, maxSegments: Int) throws(Failure) {
    guard path.first == .slash else { throw .malformed }
    bytes.reserveCapacity(path.count)
    segments.reserveCapacity(maxSegments)
    var hasEscapes = false
    var start = 1
    while start < path.count {
      let end = path[start...].firstIndex(of: .slash) ?? path.count
      guard segments.count < maxSegments else { throw .tooDeep }
      let from = bytes.count
      if path[start..<end].contains(UInt8(ascii: "%")) {
        hasEscapes = true
        guard PercentEncoding.append(path[start..<end], to: &bytes, plusIsSpace: false) else { throw .malformed }
      } else {
        bytes.append(contentsOf: path[start..<end])
      }
      segments.append(from..<bytes.count)
      start = end + 1
    }
    guard !hasEscapes || String(validating: bytes, as: UTF8.self) != nil else { throw .malformed }
  }
}

extension UInt8 {
  static let slash = UInt8(ascii: "/")
}
