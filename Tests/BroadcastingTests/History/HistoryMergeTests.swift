//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import Broadcasting

@Suite("The gaps of a history")
struct HistoryMergeTests {
  /// What is there, positions as `epoch.offset`, where `start` was had; a gap is its count, or `x` where it has none.
  static let table: [(start: String?, messages: String, head: String, deliveries: String)] = [
    ("1-0", "", "1-0", ""),
    ("1-3", "1-4 1-5", "1-5", "1-4 1-5"),
    ("1-5", "", "1-5", ""),
    ("1-1", "1-4 1-5", "1-5", "(2) 1-4 1-5"),
    ("1-1", "1-2 1-5", "1-5", "1-2 (2) 1-5"),
    ("1-1", "1-2", "1-5", "1-2 (3)"),
    ("1-1", "", "1-5", "(4)"),
    // The position is from a log that has gone.
    ("1-5", "2-1 2-2", "2-2", "(x) 2-1 2-2"),
    ("1-5", "2-3", "2-3", "(x) 2-3"),
    ("1-5", "", "2-0", "(x)"),
    ("1-5", "", "0-0", "(x)"),
    ("2-5", "1-1", "1-1", "(x) 1-1"),
    // The log went back.
    ("1-5", "1-3 1-4", "1-4", "(x) 1-3 1-4"),
    ("1-5", "", "1-4", "(x)"),
    // The border is among what is kept.
    ("1-4", "1-5 2-1 2-2", "2-2", "1-5 (x) 2-1 2-2"),
    ("1-4", "1-5", "2-9", "1-5 (x)"),
    // From the beginning.
    ("0-0", "1-1 1-2", "1-2", "1-1 1-2"),
    ("0-0", "1-3", "1-3", "(2) 1-3"),
    ("0-0", "", "0-0", ""),
    ("0-0", "", "1-0", ""),
    ("0-0", "", "1-7", "(7)"),
    ("0-0", "1-1 2-1", "2-1", "1-1 (x) 2-1"),
    // The last ones, which begin anywhere.
    (nil, "1-4 1-5", "1-5", "1-4 1-5"),
    (nil, "", "1-5", ""),
    (nil, "", "0-0", ""),
    (nil, "1-4 1-6", "1-7", "1-4 (1) 1-6 (1)"),
    (nil, "1-4 2-1", "2-1", "1-4 (x) 2-1"),
    // Offsets from a broken broker.
    ("1-0", "1-18446744073709551615", "1-18446744073709551615", "(x) 1-18446744073709551615"),
    ("1-0", "1-0", "1-0", "1-0"),
  ]

  @Test("a gap stands where something is missing, and nowhere else", arguments: table.indices)
  func gaps(row: Int) {
    let row = Self.table[row]
    for pageSize in 1...3 {
      var merge = HistoryMerge("a", after: row.start.flatMap { MessagePosition($0) })
      let messages = row.messages.split(separator: " ").compactMap { MessagePosition(String($0)) }
        .map { Message("m", to: "a", position: $0) }
      for from in stride(from: 0, to: messages.count, by: pageSize) {
        merge.add(messages[from..<min(from + pageSize, messages.count)])
      }
      let head = MessagePosition(row.head) ?? .beginning
      merge.reach(head)
      #expect(merge.deliveries.map(text).joined(separator: " ") == row.deliveries)
      #expect(merge.isComplete == !row.deliveries.contains("("))
      #expect(merge.messages == messages.count)
      #expect(merge.end == head)
    }
  }

  @Test("a gap says whether messages were counted away or the log is another")
  func reasons() {
    let had = MessagePosition(epoch: 1, offset: 5)
    let trimmed = HistoryMerge.gap(on: "a", from: had, to: .init(epoch: 1, offset: 8))
    #expect(trimmed == Gap(channel: "a", missed: 3, reason: .historyTrimmed))
    let restarted = HistoryMerge.gap(on: "a", from: had, to: .init(epoch: 2, offset: 8))
    #expect(restarted == Gap(channel: "a", missed: nil, reason: .historyRestarted))
    #expect(HistoryMerge.gap(on: "a", from: had, to: had) == nil)
  }

  func text(_ delivery: Delivery) -> String {
    switch delivery {
    case .message(let message): message.position?.description ?? "-"
    case .gap(let gap): "(\(gap.missed.map(String.init) ?? "x"))"
    }
  }
}
