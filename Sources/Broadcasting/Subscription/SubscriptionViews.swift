//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension Subscription {
  /// The subscription read in batches: all that came together, at least one delivery, at most some hundred.
  ///
  /// This costs a fraction of reading single elements, and is right for whoever can treat several messages as one.
  public var batches: Batches { Batches(subscription: self) }

  /// The messages alone.
  ///
  /// - Parameter onGap: What to do where messages are missing: go on without a word, or end with
  ///   ``BroadcastError/Code/missedMessages``.
  public func messages(onGap: GapHandling = .ignore) -> Messages { Messages(subscription: self, onGap: onGap) }

  /// What a sequence of messages does where some are missing.
  public enum GapHandling: Sendable, Hashable {
    case ignore
    case `throw`
  }

  /// The deliveries of a subscription, in arrays. Made by ``Subscription/batches``.
  public struct Batches: AsyncSequence, Sendable {
    public typealias Element = [Delivery]
    public typealias Failure = BroadcastError

    let subscription: Subscription

    public func makeAsyncIterator() -> Iterator { Iterator(base: subscription.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
      var base: Subscription.Iterator

      /// Waits for the next deliveries. Nil is the end.
      public mutating func next(
        isolation actor: isolated (any Actor)? = #isolation
      ) async throws(BroadcastError) -> [Delivery]? {
        guard let (deliveries, range) = try await base.nextChunk() else { return nil }
        return range.count == deliveries.count ? deliveries : Array(deliveries[range])
      }
    }
  }

  /// The messages of a subscription. Made by ``Subscription/messages(onGap:)``.
  public struct Messages: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = BroadcastError

    let subscription: Subscription
    let onGap: GapHandling

    public func makeAsyncIterator() -> Iterator {
      Iterator(base: subscription.makeAsyncIterator(), subscription: subscription, onGap: onGap)
    }

    public struct Iterator: AsyncIteratorProtocol {
      var base: Subscription.Iterator
      let subscription: Subscription
      let onGap: GapHandling

      /// Waits for the next message. Nil is the end.
      public mutating func next(
        isolation actor: isolated (any Actor)? = #isolation
      ) async throws(BroadcastError) -> Message? {
        while let delivery = try await base.next(isolation: actor) {
          switch delivery {
          case .message(let message):
            return message
          case .gap(let gap) where onGap == .throw:
            subscription.cancel()
            throw BroadcastError(
              .missedMessages,
              "\(gap.missed.map(String.init) ?? "An unknown number of") messages of \(gap.topic) were missed "
                + "(\(gap.reason)). Subscribe again and load anew what they would have told.")
          case .gap:
            continue
          }
        }
        return nil
      }
    }
  }
}
