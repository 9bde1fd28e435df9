//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Calls to a topic wait while its messages are on their way: see ``SendWindow``.
extension PublishingSide {
  /// Neighbours of one topic among the reports.
  struct ReportRun {
    var topic = 0
    var count = 0
  }

  /// Keeps a call until its topic's messages are answered, or returns false: it goes now, behind those that have waited.
  func waits(_ token: Token, _ messages: Int, for topic: ProducerTopic) -> Bool {
    guard !isContinuing, windows[topic.number] != nil else { return false }
    if windows[topic.number]?.wait(token, messages: messages) == true { return true }
    let tokens = windows[topic.number]?.takeWaiting() ?? []
    if tokens.isEmpty { return false }
    backlog = tokens + backlog + [token]
    continueBacklog()
    return true
  }

  func produced(_ count: Int, to topic: ProducerTopic) {
    unreported += count
    guard windows[topic.number]?.sent(count) == true else { return }
    if touchedWindows.isEmpty { loop.inNextTurn { [weak self] in self?.endTurnOfWindows() } }
    touchedWindows.append(topic.number)
  }

  private func endTurnOfWindows() {
    for number in touchedWindows { windows[number]?.endTurn() }
    touchedWindows = []
  }

  /// Returns the calls that may go on when the run of the report before is over.
  func count(_ report: DeliveryReport, in run: inout ReportRun) -> [Token] {
    unreported -= 1
    if report.topicNumber == run.topic {
      run.count += 1
      return []
    }
    defer { run = ReportRun(topic: report.topicNumber, count: 1) }
    return end(run)
  }

  func end(_ run: ReportRun) -> [Token] { windows[run.topic]?.answered(run.count) ?? [] }

  /// The producer is gone, and with it all that was on its way. What waited goes to the next one.
  func closeWindows() {
    for number in windows.keys { backlog.insert(contentsOf: windows[number]?.takeWaiting() ?? [], at: 0) }
    windows = [:]
    touchedWindows = []
  }
}
