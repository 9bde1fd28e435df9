//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

@testable import BroadcastingBroker

/// What became of calls of `publish` with these texts: nil for one that succeeded, or where its messages have positions those,
/// and "-" for a message without. `body` takes the calls, and ends all of
/// them.
func outcomesOfPublishing(_ calls: [[String]], _ body: (inout [PublishCall]) -> Void) async -> [String?] {
  let mailbox = PublishMailbox()
  mailbox.open {}
  return await withTaskGroup(of: (Int, String?).self) { group in
    var taken: [PublishCall] = []
    for (index, texts) in calls.enumerated() {
      group.addTask {
        do throws(BroadcastError) {
          let receipts = try await mailbox.publish(texts.map { Message($0, to: "a") })
          let places = receipts.map { $0.position?.description ?? "-" }.joined(separator: " ")
          return (index, receipts.isEmpty ? nil : places)
        } catch {
          return (index, "\(error.message) \(error.outcome.map { "\($0)" } ?? "-")")
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
    for await (index, result) in group { results[index] = result }
    return results
  }
}
