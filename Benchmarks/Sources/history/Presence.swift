//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

/// Members who join and leave one after the other, beside others who stay, with one watcher.
enum Presence {
  static let few = 10
  static let many = 10_000

  static func measure(_ broadcast: any Broadcast, beside others: Int, changes: Int) async throws -> Cost {
    let channel = Channel("presence.\(others)")
    var entries: [PresenceEntry] = []
    for number in 0..<others {
      entries.append(try await broadcast.enterPresence(on: channel, as: PresenceMember("member \(number)")))
    }
    var updates = try await broadcast.presenceUpdates(of: channel).makeAsyncIterator()
    guard case .present(let members)? = try await updates.next(), members.count == others else {
      throw MeasurementError("the watcher does not see who is here")
    }
    let cost = try await Cost.measure(of: changes) {
      for number in 0..<changes {
        let guest = PresenceMember("guest \(number)")
        try await broadcast.enterPresence(on: channel, as: guest).leave()
        let seen = (try await updates.next(), try await updates.next())
        guard seen == (.joined(guest), .left(guest)) else { throw MeasurementError("the watcher saw \(seen)") }
      }
    }
    for entry in entries { entry.leave() }
    return cost
  }
}
