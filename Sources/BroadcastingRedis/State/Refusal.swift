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
  /// Whether a script says by it that a message was published, and could not be kept.
  let isUnkept: Bool

  init(_ answer: String) {
    var text = String(answer.prefix(1_000))
    // An unknown command is answered with its arguments, and one of those may be a password.
    for start in [", with args", " with args"] {
      if let range = text.firstRange(of: start) { text.removeSubrange(range.lowerBound...) }
    }
    isUnkept = text.hasPrefix(Self.unkept)
    if isUnkept { text.removeFirst(Self.unkept.count) }
    let visible = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
    self.text = String(String(visible).prefix(200))
    code = String(self.text.prefix { $0 != " " })
  }

  private static let unkept = "UNKEPT "

  /// Whether the same can succeed later without a change.
  var isRetriable: Bool {
    switch code {
    case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "MOVED", "ASK", "CROSSSLOT", "WRONGTYPE": false
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

  /// The server does not have a script, or has lost it.
  var meansMissingScript: Bool { code == "NOSCRIPT" }

  /// The keys of a script, or the channel, belong to another server of a cluster.
  var meansCluster: Bool { ["MOVED", "ASK", "CROSSSLOT"].contains(code) }

  /// A script may not publish to a channel. For a command of its own that is a word, and in a script a sentence.
  var meansNoRightToChannel: Bool {
    text.contains("can't publish to the channel") || text.contains("access at least one of the channels")
  }

  var isUnknownCommand: Bool { text.contains("unknown command") }
}
