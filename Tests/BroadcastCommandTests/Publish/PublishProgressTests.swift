//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import broadcast

@Suite("How far publishing has come")
struct PublishProgressTests {
  private func report(sent: Int, _ change: (inout PublishProgress) -> Void = { _ in }) -> String {
    var progress = PublishProgress()
    for _ in 0..<sent {
      progress.begin()
      progress.confirm()
    }
    change(&progress)
    return progress.report
  }

  @Test("nothing is sent at first")
  func nothing() {
    #expect(report(sent: 0) == "nothing was sent")
    #expect(
      report(sent: 0) {
        $0.begin(); $0.takeBack()
      } == "nothing was sent")
  }

  @Test("confirmed lines are counted, and the next one named")
  func confirmed() {
    #expect(report(sent: 1) == "line 1 was sent, nothing from line 2 on was sent")
    #expect(report(sent: 1_000) == "lines 1 to 1000 were sent, nothing from line 1001 on was sent")
  }

  @Test("a line on its way may have arrived")
  func underway() {
    #expect(report(sent: 0) { $0.begin() } == "line 1 may have arrived, nothing from line 2 on was sent")
    #expect(
      report(sent: 2) { $0.begin() }
        == "lines 1 to 2 were sent, line 3 may have arrived, nothing from line 4 on was sent")
  }
}
