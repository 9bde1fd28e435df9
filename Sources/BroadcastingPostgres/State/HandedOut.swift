//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The last deliveries that subscribers were given, held until some more have come.
///
/// So it is mostly the loop's thread that gives back the memory of a message, which took it. Where each reader does, the
/// two wait for each other in the allocator, and that costs more than all else that is done with a short message.
struct HandedOut {
  /// As many as readers that keep up are behind, and few enough to stay in a processor's cache.
  static let maximumRuns = 16
  /// The most bytes of one that is held, with what each delivery takes beside its payload, so that all of them are at most
  /// 1 MiB.
  static let maximumBytes = 64 * 1_024

  private(set) var runs: [[Delivery]] = []
  private var next = 0

  init() { runs.reserveCapacity(Self.maximumRuns) }

  /// Takes what came together, in the place of the oldest. Does not hold it if it has more bytes than ``maximumBytes``.
  ///
  /// - Parameter bytes: The sum of `bufferedBytes`.
  mutating func append(_ run: [Delivery], bytes: Int) {
    if bytes > Self.maximumBytes { return }
    if runs.count < Self.maximumRuns {
      runs.append(run)
    } else {
      runs[next] = run
      next = (next + 1) % Self.maximumRuns
    }
  }

  /// Lets go of all.
  mutating func clear() {
    runs.removeAll(keepingCapacity: true)
    next = 0
  }
}
