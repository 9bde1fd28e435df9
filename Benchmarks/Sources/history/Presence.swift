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
      entries.append(try await broadcast.enterPresence(on: channel, as: PresenceMember(name: "member \(number)")))
    }
    let updates = try await broadcast.presenceUpdates(of: channel)
    let cost = try await Cost.measure(of: changes) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          var left = 2 * changes
          for try await update in updates {
            if case .present(let members) = update {
              guard members.count == others else { throw MeasurementError("the watcher missed updates") }
              continue
            }
            left -= 1
            if left == 0 { break }
          }
        }
        for number in 0..<changes {
          let entry = try await broadcast.enterPresence(on: channel, as: PresenceMember(name: "guest \(number)"))
          entry.leave()
        }
        try await group.waitForAll()
      }
    }
    for entry in entries { entry.leave() }
    return cost
  }
}
