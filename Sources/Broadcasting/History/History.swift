//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a channel has kept, or a part of it.
public struct History: Sendable, Equatable {
  /// The most messages that can be asked for at once.
  public static let maximumMessages = 10_000
  /// The most bytes that are given at once; one message is given however large it is.
  public static let maximumBytes = 4 * 1_024 * 1_024

  public var channel: Channel

  /// The oldest first, each with its position.
  public var messages: [Message]

  /// Where the channel stood: the position of its newest message, also where that is kept no more. Nil while it never had
  /// one. A broker may tell one with the offset 0, where somebody has subscribed and nothing was published yet.
  public var head: MessagePosition?

  /// Whether nothing is missing of what was asked for. False where a limit took some of it, or the log is another one than
  /// that of the position.
  public var isComplete: Bool

  /// Whether there was more than fits an answer: ask again from ``next``.
  public var hasMore: Bool

  public init(
    channel: Channel, messages: [Message] = [], head: MessagePosition? = nil, isComplete: Bool = true,
    hasMore: Bool = false
  ) {
    self.channel = channel
    self.messages = messages
    self.head = head
    self.isComplete = isComplete
    self.hasMore = hasMore
  }

  /// Where to go on: behind the last message that was given, or at the head.
  public var next: SubscriptionStart {
    .after((hasMore ? messages.last?.position : nil) ?? head ?? .beginning)
  }
}
