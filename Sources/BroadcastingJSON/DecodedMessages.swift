//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting
public import FoundationEssentials

extension Subscription {
  /// The messages, each read as JSON.
  ///
  /// A message which is not JSON of the type ends the sequence with ``BroadcastError/Code/undecodable``. Where others may
  /// publish what you do not expect, read ``Subscription/messages(onGap:)`` and decode each message yourself.
  ///
  /// - Parameter onGap: What to do where messages are missing.
  public func decoded<Value: Decodable>(
    as type: Value.Type, onGap: GapHandling = .ignore, decoder: JSONDecoder = JSONDecoder()
  ) -> DecodedMessages<Value> {
    DecodedMessages(base: messages(onGap: onGap), decoder: decoder)
  }
}

/// The messages of a subscription as values. Made by ``Broadcasting/Subscription/decoded(as:onGap:decoder:)``.
public struct DecodedMessages<Value: Decodable>: AsyncSequence {
  public typealias Element = Value
  public typealias Failure = BroadcastError

  let base: Subscription.Messages
  let decoder: JSONDecoder

  public func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), decoder: decoder) }

  public struct Iterator: AsyncIteratorProtocol {
    var base: Subscription.Messages.Iterator
    let decoder: JSONDecoder

    /// Waits for the next value. Nil is the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BroadcastError) -> Value? {
      guard let message = try await base.next(isolation: actor) else { return nil }
      return try message.decoded(as: Value.self, decoder: decoder)
    }
  }
}
