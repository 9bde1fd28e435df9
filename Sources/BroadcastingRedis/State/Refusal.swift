//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// An error which a server answered, and what it means for who asked.
struct Refusal: Equatable {
  /// The server's words: one line without secrets, at most 200 characters.
  let text: String
  /// Its first word, in capitals by Redis's convention.
  let code: String

  init(_ answer: String) {
    var text = String(answer.prefix(1_000))
    // An unknown command is answered with its arguments, and one of those may be a password.
    for start in [", with args", " with args"] {
      if let range = text.firstRange(of: start) { text.removeSubrange(range.lowerBound...) }
    }
    let visible = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
    self.text = String(String(visible).prefix(200))
    code = String(self.text.prefix { $0 != " " })
  }

  /// Whether the same can succeed later without a change.
  var isRetriable: Bool {
    switch code {
    case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "MOVED", "ASK", "WRONGTYPE": false
    case "ERR": meansTooManyClients
    // What else has a word of its own is a state of the server: LOADING, BUSY, MASTERDOWN, CLUSTERDOWN, READONLY, OOM.
    default: true
    }
  }

  /// Whether it is about the connection, and not about one command.
  var concernsConnection: Bool {
    switch code {
    case "NOAUTH", "WRONGPASS", "DENIED", "LOADING", "MASTERDOWN", "BUSY": true
    default: meansTooManyClients
    }
  }

  var meansTooManyClients: Bool { text.contains("max number of clients") || text.contains("connection limit") }

  var isUnknownCommand: Bool { text.contains("unknown command") }
}
