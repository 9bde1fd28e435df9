//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import Synchronization

/// Writes lines of the log to standard error.
///
/// Each line is one `write`, so that lines of several threads don't mix, and it never waits: when nobody reads the other
/// end of the pipe a line is dropped, and the next one that gets through says how many were.
final class Log: Sendable {
  private let format: LogFormat
  private let descriptor: Int32
  private let dropped = Atomic<Int>(0)
  private let limit = Lock(LogLimit<LogLine>())

  init(format: LogFormat, descriptor: Int32 = StandardStream.error) {
    self.format = format
    self.descriptor = descriptor
  }

  func callAsFunction(_ level: LogLevel, _ event: String, _ fields: LogLine.Field...) {
    write(LogLine(time: Timestamp.now(), level: level, event: event, fields: fields))
  }

  func callAsFunction(_ level: LogLevel, _ event: String, _ fields: [LogLine.Field]) {
    write(LogLine(time: Timestamp.now(), level: level, event: event, fields: fields))
  }

  /// Writes a line about something that may happen any number of times: at most one a second. The last of a second is
  /// written by ``writeKept(all:)``.
  func about(_ trouble: LogTrouble, _ level: LogLevel, _ event: String, _ fields: LogLine.Field...) {
    about(trouble, level, event, fields)
  }

  func about(_ trouble: LogTrouble, _ level: LogLevel, _ event: String, _ fields: [LogLine.Field]) {
    let line = LogLine(time: Timestamp.now(), level: level, event: event, fields: fields)
    if let passed = limit.withLock({ $0.admit(line, about: trouble, now: .now) }) { write(passed) }
  }

  /// Writes the lines that were kept until their second was over. To be called now and then; at the end with `all`.
  func writeKept(all: Bool = false) {
    for passed in limit.withLock({ $0.due(now: .now, all: all) }) { write(passed) }
  }

  private func write(_ passed: LogLimit<LogLine>.Passed) {
    guard passed.leftOut > 0 else { return write(passed.line) }
    let line = passed.line
    let count = LogLine.Field("left-out", .number(passed.leftOut))
    write(LogLine(time: line.time, level: line.level, event: line.event, fields: [count] + line.fields))
  }

  private func write(_ line: LogLine) {
    let missing = dropped.exchange(0, ordering: .relaxed)
    if missing > 0 {
      let note = LogLine(
        time: line.time, level: .warning, event: "log-lines-dropped", fields: [.init("count", .number(missing))])
      guard emit(note) else {
        dropped.add(missing + 1, ordering: .relaxed)
        return
      }
    }
    if !emit(line) { dropped.add(1, ordering: .relaxed) }
  }

  private func emit(_ line: LogLine) -> Bool {
    guard StandardStream.isReady(descriptor) else { return false }
    let bytes = line.bytes(as: format)
    return StandardStream.writeOnce(bytes[...], to: descriptor) == bytes.count
  }
}
