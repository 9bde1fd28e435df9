//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Synchronization

/// What a command says on standard error while it runs, a line each.
///
/// It never waits: when nobody reads the other end of the pipe a line is left out, and the next one that gets through says
/// how many were.
final class Notes: Sendable {
  private let descriptor: Int32
  private let missing = Atomic<Int>(0)

  init(_ descriptor: Int32 = StandardStream.error) { self.descriptor = descriptor }

  /// Lines are cut where a pipe would not take them at once (PIPE_BUF; pipe(7)).
  func callAsFunction(_ text: String) {
    let count = missing.exchange(0, ordering: .relaxed)
    var line = count == 0 ? "" : "broadcast: (\(count) lines could not be written here)\n"
    line += "broadcast: \(TerminalText.escape(String(text.unicodeScalars.prefix(1_000))))\n"
    let bytes = Array(line.utf8)
    if !StandardStream.isReady(descriptor) || StandardStream.writeOnce(bytes[...], to: descriptor) == nil {
      missing.add(count + 1, ordering: .relaxed)
    }
  }
}
