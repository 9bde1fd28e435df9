//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Which channels keep their last messages, and how many of them. None by default.
///
/// ```swift
/// configuration.history = [.init("chat.private.*", nil), .init("chat.*", HistoryPolicy(maximumMessages: 50))]
/// ```
///
/// The first rule whose pattern matches counts. All programs that publish to a channel through one broker need the same
/// rule for it: messages of one that has none are delivered, and not kept.
public struct HistoryPolicies: Sendable, Hashable, ExpressibleByArrayLiteral {
  public struct Rule: Sendable, Hashable {
    public var pattern: ChannelPattern
    /// Nil: no history, for exceptions from a later rule.
    public var policy: HistoryPolicy?

    public init(_ pattern: ChannelPattern, _ policy: HistoryPolicy? = .init()) {
      self.pattern = pattern
      self.policy = policy
    }

    public init(_ glob: String, _ policy: HistoryPolicy? = .init()) { self.init(ChannelPattern(glob), policy) }
  }

  public static let maximumRules = 64

  public let rules: [Rule]

  public init(_ rules: [Rule] = []) { self.rules = rules }

  public init(arrayLiteral rules: Rule...) { self.init(rules) }

  public var isEmpty: Bool { rules.isEmpty }

  /// What holds for a channel. Nil: it keeps nothing. Reserved channels never do.
  public func policy(of channel: Channel) -> HistoryPolicy? {
    if rules.isEmpty || channel.isReserved { return nil }
    return rules.first { $0.pattern.matches(channel) }?.policy
  }

  /// - Throws: ``BroadcastError/Code/invalidPattern`` where a pattern breaks a rule, or there are too many of them.
  public func validate() throws(BroadcastError) {
    guard rules.count <= Self.maximumRules else {
      throw .invalidPattern("There are \(rules.count) rules for histories; at most \(Self.maximumRules) are allowed.")
    }
    for rule in rules { try rule.pattern.validate() }
  }
}
