//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingJSON
import Testing

@Suite("Snapshots of transactions")
struct TransactionSnapshotTests {
  @Test("what is over is in it, what was under way or had not begun is not")
  func includes() throws {
    let snapshot = try TransactionSnapshot("10:20:10,14")
    #expect([9, 11, 13, 15, 19].allSatisfy(snapshot.includes))
    #expect(![10, 14, 20, 21].contains(where: snapshot.includes))
    let quiet = try TransactionSnapshot("5:5:")
    #expect(quiet.includes(4) && !quiet.includes(5))
  }

  @Test("another text is refused", arguments: ["", "5", "5:5", "5:4:", "a:b:", "5:9:6,", "5:9:x", "5:9:6:7", "-1:2:"])
  func malformed(text: String) {
    let error = #expect(throws: BroadcastError.self) { try TransactionSnapshot(text) }
    #expect(error?.code == .undecodable)
  }
}
