//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Which run of a server this is: another one after each start, and on each server.
///
/// It comes with the answers to two questions. Servers that others keep may hide the first, which is the better one: a server
/// may keep the second when it ends in good order.
enum ServerRun {
  static let questions = [["INFO", "server"], ["INFO", "replication"]]

  /// What an answer tells of it.
  static func name(in facts: String) -> String? {
    for line in facts.split(whereSeparator: \.isNewline) {
      for fact in ["run_id:", "master_replid:"] where line.hasPrefix(fact) {
        let name = line.dropFirst(fact.count)
        // Zeros stand for one that is hidden.
        if !name.isEmpty, name.utf8.count <= 64, name.utf8.contains(where: { $0 != UInt8(ascii: "0") }) {
          return String(name)
        }
      }
    }
    return nil
  }
}
