//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

@testable import BroadcastingBroker

/// What became of calls of `publish` with these texts: nil for one that succeeded. `body` takes the calls, and ends all of
/// them.
func outcomesOfPublishing(_ calls: [[String]], _ body: (inout [PublishCall]) -> Void) async -> [String?] {
  let mailbox = PublishMailbox()
  mailbox.open {}
  return await withTaskGroup(of: (Int, BroadcastError?).self) { group in
    var taken: [PublishCall] = []
    for (index, texts) in calls.enumerated() {
      group.addTask {
        do throws(BroadcastError) {
          try await mailbox.publish(texts.map { Message($0, to: "a") })
          return (index, nil)
        } catch {
          return (index, error)
        }
      }
      // One after the other, so that they come in their order.
      while taken.count == index {
        taken += mailbox.takeAll()
        await Task.yield()
      }
    }
    body(&taken)
    var results = [String?](repeating: nil, count: calls.count)
    for await (index, error) in group {
      results[index] = error.map { "\($0.message) \($0.outcome.map { "\($0)" } ?? "-")" }
    }
    return results
  }
}
