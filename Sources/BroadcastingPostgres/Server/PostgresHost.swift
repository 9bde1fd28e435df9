//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// One of the hosts that a URL names. libpq takes several, as lists with commas between.
struct PostgresHost: Hashable, Sendable, CustomStringConvertible {
  /// A name, an address, or the folder of a Unix socket; nil for libpq's own choice.
  let name: String?
  /// Where the address is known without asking for the name's.
  let address: String?
  let port: String

  static let standardPort = "5432"

  /// - Throws: `invalidURL` where the lists don't fit, or a port is none.
  static func list(names: String?, addresses: String?, ports: String?) throws(BroadcastError) -> [PostgresHost] {
    let names = elements(names)
    let addresses = elements(addresses)
    let ports = elements(ports).map { $0 ?? standardPort }
    let count = max(names.count, addresses.count, 1)
    guard names.isEmpty || addresses.isEmpty || names.count == addresses.count else {
      throw BroadcastError(
        .invalidURL, "There are \(names.count) hosts and \(addresses.count) addresses (hostaddr); give one for each.")
    }
    guard ports.count <= 1 || ports.count == count else {
      throw BroadcastError(
        .invalidURL, "There are \(count) hosts and \(ports.count) ports; give one port, or one for each host.")
    }
    for port in ports {
      guard let number = UInt16(port), number > 0 else {
        // It is not repeated: it may be a piece of a password.
        throw BroadcastError(
          .invalidURL,
          "What stands for a port is none; a port is a number from 1 to 65535. \(PostgresURL.encodingAdvice)")
      }
    }
    return (0..<count).map { index in
      PostgresHost(
        name: names.isEmpty ? nil : names[index], address: addresses.isEmpty ? nil : addresses[index],
        port: ports.isEmpty ? standardPort : ports[ports.count == 1 ? 0 : index])
    }
  }

  private static func elements(_ list: String?) -> [String?] {
    guard let list, !list.isEmpty else { return [] }
    return list.split(separator: ",", omittingEmptySubsequences: false).map { $0.isEmpty ? nil : String($0) }
  }

  /// Whether the system has to be asked for the addresses of the name.
  var needsLookUp: Bool {
    guard address == nil, let name else { return false }
    // The folder of a Unix socket, or the name of an abstract one.
    return !name.hasPrefix("/") && !name.hasPrefix("@")
  }

  var description: String {
    let place = name ?? address ?? "the local socket"
    return place.contains(":") ? "[\(place)]:\(port)" : "\(place):\(port)"
  }
}

/// One address of a host, for which libpq needs no look-up.
struct PostgresAddress: Hashable, Sendable, CustomStringConvertible {
  let host: String?
  let hostAddress: String?
  let port: String

  var description: String {
    let place = host ?? hostAddress ?? "the local socket"
    let name = place.contains(":") ? "[\(place)]:\(port)" : "\(place):\(port)"
    guard let hostAddress, hostAddress != place else { return name }
    return "\(name) (\(hostAddress))"
  }
}
