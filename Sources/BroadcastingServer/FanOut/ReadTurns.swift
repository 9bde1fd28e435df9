//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Lets a few at a time read something large. Those who wait have nothing in memory. It belongs to one loop.
final class ReadTurns {
  private static let atOnce = 16

  private var reading = 0
  private var waiting: [UnsafeContinuation<Void, Never>] = []

  /// Waits for a turn, which has to be passed on.
  nonisolated(nonsending) func take() async {
    if reading < Self.atOnce {
      reading += 1
    } else {
      await withUnsafeContinuation { waiting.append($0) }
    }
  }

  func pass() {
    if waiting.isEmpty { reading -= 1 } else { waiting.removeFirst().resume() }
  }
}
