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

/// A host as it stands in a URL or in the field `Host`, in the one spelling by which hosts are compared: addresses by
/// their bits, names in lower case without the dot at the end.
package struct HostName: Hashable, Sendable, CustomStringConvertible {
  private enum Value: Hashable, Sendable {
    case name(String)
    case ipv4(UInt32)
    case ipv6([UInt8])
  }
  private let value: Value

  /// Reads a name, an IPv4 address in four decimal parts, or an IPv6 address in brackets (RFC 3986, section 3.2.2;
  /// escapes, zones and addresses of future versions are refused). Nil for anything else.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    let text = text.lowercased()
    if text.utf8.first == UInt8(ascii: "[") {
      guard text.utf8.last == UInt8(ascii: "]"), let address = Self.ipv6(String(text.dropFirst().dropLast())) else {
        return nil
      }
      value = .ipv6(address)
      return
    }
    let name = text.utf8.last == UInt8(ascii: ".") ? String(text.dropLast()) : text
    guard (1...253).contains(name.utf8.count), Self.isName(name) else { return nil }
    value = Self.ipv4(name).map { .ipv4($0) } ?? .name(name)
  }

  /// As it is compared; an IPv6 address in its brackets and its shortest form.
  package var description: String {
    switch value {
    case .name(let name): name
    case .ipv4(let address): (0..<4).map { String(address >> (24 - 8 * UInt32($0)) & 255) }.joined(separator: ".")
    case .ipv6(let address): "[\(Self.text(ofIPv6: address))]"
    }
  }

  /// Whether it is an address and not a name, so that no DNS answer stands between what the user sees and who is asked.
  package var isAddress: Bool {
    if case .name = value { false } else { true }
  }

  /// Whether it means this machine: `localhost` and names below it (RFC 6761, section 6.3), 127.0.0.0/8 and `::1`, also
  /// as an IPv4 address inside IPv6.
  package var isLoopback: Bool {
    switch value {
    case .name(let name): name == "localhost" || name.hasSuffix(".localhost")
    case .ipv4(let address): address >> 24 == 127
    case .ipv6(let address):
      address == Self.loopback6 || (address.starts(with: Self.mappedPrefix) && address[12] == 127)
    }
  }

  private static let loopback6: [UInt8] = Array(repeating: 0, count: 15) + [1]
  private static let mappedPrefix: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff]

  private static func isName(_ name: String) -> Bool {
    var previous = UInt8.dot
    for byte in name.utf8 {
      switch byte {
      case .zero ... .nine, UInt8(ascii: "a")...UInt8(ascii: "z"), .minus, UInt8(ascii: "_"): break
      case .dot where previous != .dot: break
      default: return false
      }
      previous = byte
    }
    return true
  }

  private static func ipv4(_ text: String) -> UInt32? {
    let parts = text.utf8.split(separator: .dot, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      // A leading zero would mean an octal number to some.
      guard part.count == 1 || part.first != .zero, let value = UInt8(Substring(part)) else { return nil }
      address = address << 8 | UInt32(value)
    }
    return address
  }

  private static func ipv6(_ text: String) -> [UInt8]? {
    var address = in6_addr()
    guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
    return withUnsafeBytes(of: address) { Array($0) }
  }

  private static func text(ofIPv6 address: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(AF_INET6, address, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
