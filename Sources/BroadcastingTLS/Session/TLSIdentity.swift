//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Whom the peer must prove to be: a name, which it is also told (SNI), or an address.
struct TLSIdentity: Hashable, Sendable {
  enum Kind: Hashable { case name, address }

  /// As certificates have it: without the root's dot, an IPv6 address without its zone.
  let text: String
  let kind: Kind

  /// - Throws: ``NetworkError`` with `invalidAddress` for what can't be in a certificate.
  init(_ host: String) throws(NetworkError) {
    let withoutZone = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
    if let digits = withoutZone, SocketAddress(digits: digits, port: 0) != nil {
      text = digits
      kind = .address
      return
    }
    // RFC 6066, section 3: the name is sent without the dot at its end.
    text = host.hasSuffix(".") ? String(host.dropLast()) : host
    kind = .name
    // A dot in front would stand for any subdomain (X509_check_host(3)), and a star for more than was meant.
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard text.utf8.count <= 253, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "*") }),
      labels.allSatisfy({ !$0.isEmpty })
    else {
      throw NetworkError(
        .invalidAddress,
        """
        a server's name for TLS has 1 to 253 ASCII characters without spaces or stars, and something between its dots; \
        this one has \(text.utf8.count) bytes: write other letters as Punycode (xn--…)
        """)
    }
  }
}
