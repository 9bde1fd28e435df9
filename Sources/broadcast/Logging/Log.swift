//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// Writes lines of the log to standard error.
///
/// Each line is one `write`, so that lines of several threads don't mix, and it never waits: when nobody reads the other
/// end of the pipe a line is dropped, and the next one that gets through says how many were.
final class Log: Sendable {
  private let format: LogFormat
  private let descriptor: Int32
  private let dropped = Atomic<Int>(0)

  init(format: LogFormat, descriptor: Int32 = StandardStream.error) {
    self.format = format
    self.descriptor = descriptor
  }

  func callAsFunction(_ level: LogLevel, _ event: String, _ fields: LogLine.Field...) {
    let line = LogLine(time: Timestamp.now(), level: level, event: event, fields: fields)
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
