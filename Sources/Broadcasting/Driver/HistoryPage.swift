//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a hub asks a driver for: the first part of what lies behind a start.
public struct HistoryQuery: Sendable, Hashable {
  /// ``SubscriptionStart/live``, which has neither a ``SubscriptionStart/count`` nor a ``SubscriptionStart/position``, asks for
  /// the head alone.
  public var start: SubscriptionStart
  public var maximumMessages: Int
  /// One message is given however large it is.
  public var maximumBytes: Int

  public init(_ start: SubscriptionStart, maximumMessages: Int = 256, maximumBytes: Int = 1_024 * 1_024) {
    self.start = start
    self.maximumMessages = maximumMessages
    self.maximumBytes = maximumBytes
  }
}

/// A part of a channel's history, as a driver gives it.
///
/// Where what was asked for is gone, it begins with the oldest that there is: the hub sees by the positions what is missing.
public struct HistoryPage: Sendable {
  /// Where the channel stands: the position of its newest message, also where that is kept no more.
  /// ``MessagePosition/beginning`` where it never had one.
  public var head: MessagePosition

  /// The oldest first, each with its position.
  public var messages: [Message]

  /// How old each of them is, or nothing where the driver does not know.
  public var ages: [Duration]

  /// Whether nothing is kept between the last of them and the head. A page that does not reach it has at least one message.
  public var reachesHead: Bool

  public init(
    head: MessagePosition, messages: [Message] = [], ages: [Duration] = [], reachesHead: Bool = true
  ) {
    self.head = head
    self.messages = messages
    self.ages = ages
    self.reachesHead = reachesHead
  }
}
