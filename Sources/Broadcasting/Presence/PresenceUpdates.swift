//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Who is present on a channel, and then who joins, leaves and changes.
///
/// ```swift
/// for try await update in try await broadcast.presenceUpdates(of: "room") {
///   switch update {
///   case .present(let members): show(members)
///   case .joined(let member), .changed(let member): show(member)
///   case .left(let member): hide(member)
///   }
/// }
/// ```
///
/// The first element is ``PresenceUpdate/present(_:)``, and nothing is missing or told twice between it and those that
/// follow. It comes again wherever updates may have been missed: after a lost connection, where something has changed
/// meanwhile, and for a reader who is more than 1,024 updates or 256 KiB behind. All who watch a channel see its updates in
/// one order.
///
/// A broker that has lost its members is filled again by all programs within seconds; watchers see nobody leave who comes back
/// in that time.
///
/// There is one reader: a second iterator throws ``BroadcastError/Code/alreadyIterating`` at its first element. The sequence
/// ends by ``cancel()``, by dropping it and its iterator, when the reading task is cancelled, and with `run()`, once what is
/// there has been read.
public final class PresenceUpdates: Sendable {
  public let channel: Channel
  private let source: any PresenceSource

  package init(channel: Channel, source: any PresenceSource) {
    self.channel = channel
    self.source = source
  }

  deinit { source.cancel() }

  /// Ends it now. Calling it again does nothing.
  public func cancel() { source.cancel() }
}

/// Where updates come from.
package protocol PresenceSource: Sendable {
  /// Makes the caller the one reader. False when there is one.
  func claim() -> Bool
  /// Waits for updates, some at once. Nil is the end.
  func next() async -> (updates: [PresenceUpdate], range: Range<Int>)?
  func cancel()
}

extension PresenceUpdates: AsyncSequence {
  public typealias Element = PresenceUpdate
  public typealias Failure = BroadcastError

  public func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

  public struct Iterator: AsyncIteratorProtocol {
    private let sequence: PresenceUpdates
    private var isClaimed = false
    private var updates: [PresenceUpdate] = []
    private var range = 0..<0

    init(sequence: PresenceUpdates) { self.sequence = sequence }

    /// Waits for the next update. Nil is the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BroadcastError) -> PresenceUpdate? {
      if !isClaimed {
        guard sequence.source.claim() else { throw .alreadyIterating }
        isClaimed = true
      }
      if range.isEmpty || Task.isCancelled {
        (updates, range) = ([], 0..<0)
        guard let next = await sequence.source.next() else { return nil }
        (updates, range) = next
      }
      defer { range = range.lowerBound + 1..<range.upperBound }
      return updates[range.lowerBound]
    }
  }
}
