//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What was measured of a history, or of presence, at one place.
struct HistoryRow: Decodable {
  var place: String
  var what: String
  /// In microseconds.
  var cpu: Fanout.Spread
  var wall: Fanout.Spread
  /// To the line above.
  var cpuRatio: Double?
  var wallRatio: Double?
}

/// The part of the results about histories and presence.
struct HistoryTable {
  var rows: [HistoryRow]

  var blocks: [String] {
    if rows.isEmpty { return [] }
    return [
      "## History and presence",
      """
      One process publishes messages of 120 bytes and subscribes to the same channel: on memory one task publishes 64 and then
      reads them, on Redis 64 tasks each await their publishes beside one that reads. With a history 100 messages are kept. Then 1,000 readers come at once and begin with those 100, on Redis in a
      process that has not read the channel before. Members join and leave one after the other, with one watcher who sees
      each of them. CPU is the process's own, user and system time together. A ratio is to the line above it.
      """,
      Markdown.table(
        ["where", "what", "CPU µs", "to the above", "time µs", "to the above"],
        rows.map { row in
          [row.place, row.what, row.cpu.cell, ratio(row.cpuRatio), row.wall.cell, ratio(row.wallRatio)]
        }, textColumns: 2),
    ]
  }

  private func ratio(_ value: Double?) -> String { value.map { Numbers.text($0) } ?? "" }
}
