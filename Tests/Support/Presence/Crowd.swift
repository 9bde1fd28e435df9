//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting

/// Members who come and go at random, and the truth of who is there.
package struct Crowd {
  private struct Known {
    var entries: [PresenceEntry] = []
    var info: [UInt8] = []
  }

  private var generator: SeededGenerator
  private let size: Int
  private let prefix: String
  private var known: [String: Known] = [:]

  package init(seed: UInt64, members: Int, prefix: String = "") {
    generator = SeededGenerator(seed: seed)
    size = members
    self.prefix = prefix
  }

  package var members: Set<PresenceMember> { Set(known.map { PresenceMember($0.key, info: $0.value.info) }) }

  /// One enters or leaves. Three of five want in, so that some enter twice.
  package mutating func step(on channel: Channel, of broadcast: some Broadcast) async throws {
    let name = "\(prefix)\(Int.random(in: 0..<size, using: &generator))"
    if Int.random(in: 0..<5, using: &generator) < 3 {
      let info = [UInt8.random(in: 0..<3, using: &generator), 0, 255]
      let entry = try await broadcast.enterPresence(on: channel, as: PresenceMember(name, info: info))
      known[name, default: Known()].entries.append(entry)
      known[name]?.info = info
    } else if let index = known[name]?.entries.indices.randomElement(using: &generator) {
      known[name]?.entries.remove(at: index).leave()
      if known[name]?.entries.isEmpty == true { known[name] = nil }
    }
  }

  /// All leave.
  package mutating func leave() {
    for known in known.values { for entry in known.entries { entry.leave() } }
    known = [:]
  }
}
