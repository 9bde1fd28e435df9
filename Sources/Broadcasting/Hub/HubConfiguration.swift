//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How a ``Hub``, and so every backend, behaves.
public struct HubConfiguration: Sendable {
  /// How long `publish` and `subscribe` wait for `run()` and its first connection.
  public var startPatience: Duration = .seconds(10)

  /// How long a starting `run()` tries to connect before it throws. With `.zero` it tries once.
  public var connectPatience: Duration = .seconds(10)

  /// The most bytes of a message's payload and headers. A backend's own limit holds beside it.
  public var maximumMessageBytes = 64 * 1_024 * 1_024

  /// The most bytes in all buffers together. Beyond it the oldest content goes, of whichever channel.
  public var maximumBufferedBytes = MemoryBudget.defaultLimit

  /// Which channels keep their last messages. None by default.
  ///
  /// Such a channel gives its messages positions. It costs a publish more (on Redis a script in place of a command), and the
  /// memory of what is kept, which counts among ``maximumBufferedBytes``. All programs on one broker need the same rules.
  public var history = HistoryPolicies()

  /// The limits of who can be present.
  public var presence = PresenceLimits()

  /// The first pause before connecting again; it doubles with each failure.
  public var shortestReconnectDelay: Duration = .milliseconds(100)

  /// The longest pause before connecting again, or before asking again for a channel; and the one before asking again for
  /// what the broker refused. Each pause is at random in its upper half.
  public var longestReconnectDelay: Duration = .seconds(15)

  /// Gets what happens inside. See ``BroadcastEvent``.
  public var onEvent: (@Sendable (BroadcastEvent) -> Void)?

  /// Shared with others who hold logs, so that one limit covers all of them. Made of ``maximumBufferedBytes`` if nil.
  package var budget: MemoryBudget?

  public init(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) { self.onEvent = onEvent }
}
