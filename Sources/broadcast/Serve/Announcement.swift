//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer

/// For the person who started the server: where it listens, and what to try.
struct Announcement {
  /// Where it listens, such as `127.0.0.1:8080`.
  let addresses: [String]
  let servesPush: Bool

  var text: String {
    var text = ""
    for address in addresses { text += "listening on http://\(address)\n" }
    if servesPush, let place {
      text += """
        try it: curl -d '{"message":"hi"}' -H 'content-type: application/json' \(place)/push

        """
    }
    return text
  }

  /// Where a program on this machine finds it, as one writes it in a shell.
  private var place: String? {
    guard let first = addresses.first else { return nil }
    // Its own addresses, and all addresses, which are none to connect to.
    let authority = Authority(first)
    if let port = authority?.port, let host = authority?.host.description,
      ["127.0.0.1", "[::1]", "0.0.0.0", "[::]"].contains(host)
    {
      return "localhost:\(port)"
    }
    // Brackets mean something to a shell.
    return first.hasPrefix("[") ? "'http://\(first)'" : first
  }
}
