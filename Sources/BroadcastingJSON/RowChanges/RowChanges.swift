//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

extension Subscription {
  /// The changes of a table's rows, each with the rows as values.
  ///
  /// After a ``RowChangeDelivery/gap(_:)`` changes may be missing: read the table again. A message that is no change, or whose
  /// row is not of the type, throws ``BroadcastError/Code/undecodable``; the next call goes on behind it.
  public func rowChanges<Row: Decodable & Sendable>(of type: Row.Type) -> RowChanges<Row> { RowChanges(base: self) }
}

/// A change of a row, or the news that some are missing.
public enum RowChangeDelivery<Row: Decodable & Sendable>: Sendable {
  case change(RowChange<Row>)
  /// Changes were missed here, between those before and after this one.
  case gap(Gap)
}

/// The changes of a subscription. Made by ``Broadcasting/Subscription/rowChanges(of:)``.
public struct RowChanges<Row: Decodable & Sendable>: AsyncSequence {
  public typealias Element = RowChangeDelivery<Row>
  public typealias Failure = BroadcastError

  let base: Subscription

  public func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator()) }

  public struct Iterator: AsyncIteratorProtocol {
    var base: Subscription.Iterator

    /// Waits for the next change. Nil is the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BroadcastError) -> RowChangeDelivery<Row>? {
      switch try await base.next(isolation: actor) {
      case nil: nil
      case .gap(let gap): .gap(gap)
      case .message(let message): .change(try message.rowChange(of: Row.self))
      }
    }
  }
}
