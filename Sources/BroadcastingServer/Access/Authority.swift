//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Host and port, as they stand in the field `Host` (RFC 9110, section 7.2) or behind the scheme of an origin.
package struct Authority: Hashable, Sendable, CustomStringConvertible {
  package let host: HostName
  /// Nil when none was said, so that the scheme's own is meant.
  package let port: UInt16?

  /// The host on the port of whichever scheme is spoken.
  init(host: HostName) {
    self.host = host
    port = nil
  }

  /// Nil when the text is not `host` or `host:port`. An empty port is none (RFC 3986, section 3.2.3).
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    // In an IPv6 address, which has brackets, colons don't begin a port.
    let hostEnd =
      bytes.first == UInt8(ascii: "[")
      ? bytes.firstIndex(of: UInt8(ascii: "]")).map { bytes.index(after: $0) }
      : bytes.firstIndex(of: .colon) ?? bytes.endIndex
    guard let hostEnd, let host = HostName(text[..<hostEnd]) else { return nil }
    self.host = host
    guard hostEnd < bytes.endIndex else {
      port = nil
      return
    }
    let digits = text[hostEnd...].dropFirst()
    guard bytes[hostEnd] == .colon, digits.utf8.allSatisfy({ .zero ... .nine ~= $0 }) else { return nil }
    if digits.isEmpty {
      port = nil
    } else {
      guard let number = UInt16(digits) else { return nil }
      port = number
    }
  }

  package var description: String { port.map { "\(host):\($0)" } ?? host.description }
}
