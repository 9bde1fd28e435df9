//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A version of HTTP which this library speaks.
public enum HTTPVersion: Hashable, Sendable {
  /// HTTP/1.0: no chunked bodies, no upgrade, and the connection ends after one request unless both sides ask to keep it.
  case http1_0

  /// HTTP/1.1 (RFC 9112).
  case http1_1

  /// The version as it stands in a start line.
  package var text: StaticString {
    switch self {
    case .http1_0: "HTTP/1.0"
    case .http1_1: "HTTP/1.1"
    }
  }
}
