//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a subscription begins.
///
/// All but ``live`` needs a channel with a history (``HistoryPolicies``).
public struct SubscriptionStart: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case live
    case last(Int)
    case after(MessagePosition)
  }

  package let value: Value

  /// With what is published from now on.
  public static let live = SubscriptionStart(value: .live)

  /// With the newest messages that are kept, at most so many, and then what is published. Less than 0 is taken as 0.
  ///
  /// The newest are those of which this process knows, which may be a moment behind the broker: what is published just then is
  /// not counted among them, and comes behind them.
  public static func last(_ count: Int) -> SubscriptionStart { SubscriptionStart(value: .last(max(0, count))) }

  /// With all that was published behind a position, and then what is published: for whoever comes back.
  ///
  /// ``MessagePosition/beginning`` asks for all that is kept.
  public static func after(_ position: MessagePosition) -> SubscriptionStart {
    SubscriptionStart(value: .after(position))
  }
}

// MARK: For drivers

extension SubscriptionStart {
  /// How many of the newest messages ``last(_:)`` asks for. Nil for another start.
  public var count: Int? { if case .last(let count) = value { count } else { nil } }

  /// Behind which position ``after(_:)`` begins. Nil for another start.
  public var position: MessagePosition? { if case .after(let position) = value { position } else { nil } }
}

/// What became of the start that a subscription asked for.
public struct Recovery: Sendable, Hashable {
  /// Whether nothing is missing of what was asked for. Fewer messages than ``SubscriptionStart/last(_:)`` asked for are
  /// complete where there are no more. Where it is false, a ``Gap`` stands at each place where some are missing.
  public var isComplete: Bool

  /// How many past messages come before the first live one.
  public var messages: Int

  /// Where the channel stood: the last position before the first live message. Nil where the channel has no history.
  public var head: MessagePosition?

  public init(isComplete: Bool = true, messages: Int = 0, head: MessagePosition? = nil) {
    self.isComplete = isComplete
    self.messages = messages
    self.head = head
  }
}
