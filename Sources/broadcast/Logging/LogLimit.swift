//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a line of the log is about, where there may be thousands of them.
enum LogTrouble: Hashable, Sendable {
  /// The broker that comes and goes.
  case broker
  /// Channels that the broker refuses or drops.
  case channels
  /// Subscribers that are too slow.
  case subscribers
  /// Messages that are left out for what they are.
  case messages
  /// Requests and sockets whose handlers fail.
  case handlers
  /// What the broker did not take or allow, request by request.
  case requests
  /// Connections that can't be accepted.
  case accepting
}

/// Lets a line a second through about each trouble. A machine that does nothing itself.
///
/// The first goes at once. Of those that follow within the second the last is kept, so that what a trouble has come to is
/// always told, and with it how many were left out.
struct LogLimit<Line: Sendable>: Sendable {
  /// A line that may go, and how many about the same trouble were left out before it.
  struct Passed: Sendable {
    var line: Line
    var leftOut: Int
  }

  private struct Entry: Sendable {
    var last: ContinuousClock.Instant
    var held: Line?
    var leftOut = 0
  }

  private static var interval: Duration { .seconds(1) }

  private var entries: [LogTrouble: Entry] = [:]

  /// Returns what may be written now, or nil where the line is kept.
  mutating func admit(_ line: Line, about trouble: LogTrouble, now: ContinuousClock.Instant) -> Passed? {
    guard var entry = entries[trouble] else {
      entries[trouble] = Entry(last: now)
      return Passed(line: line, leftOut: 0)
    }
    if entry.held != nil { entry.leftOut += 1 }
    guard now - entry.last >= Self.interval else {
      entry.held = line
      entries[trouble] = entry
      return nil
    }
    entries[trouble] = Entry(last: now)
    return Passed(line: line, leftOut: entry.leftOut)
  }

  /// Takes out the kept lines whose second is over; with `all` each of them.
  mutating func due(now: ContinuousClock.Instant, all: Bool = false) -> [Passed] {
    var passed: [Passed] = []
    for (trouble, entry) in entries {
      guard let held = entry.held, all || now - entry.last >= Self.interval else { continue }
      passed.append(Passed(line: held, leftOut: entry.leftOut))
      entries[trouble] = Entry(last: now)
    }
    return passed
  }
}
