//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// How much of a channel is kept, as it is written: `MESSAGES[,BYTES[,AGE]]`, such as `100,1MiB,1d`.
extension ValueKind<HistoryPolicy?> {
  static let historyPolicy = ValueKind(placeholder: "LIMITS") { text throws(ValueError) in
    try HistoryText.policy(text[...])
  } format: { _ in
    nil
  }
}

enum HistoryText {
  /// Divides several rules.
  private static let separator: Character = ";"

  private static let allowed =
    "how many messages are kept (1 to \(HistoryPolicy.greatestMessages)), and if wanted their bytes (at most"
    + " \(ByteSize.format(HistoryPolicy.greatestBytes))) and age (1s to 366d), such as 100 or 100,1MiB,1d"

  static func policy(_ text: Substring) throws(ValueError) -> HistoryPolicy {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 3, let messages = Int(decimal: parts[0]), 1...HistoryPolicy.greatestMessages ~= messages else {
      throw ValueError(allowed: allowed)
    }
    var bytes = HistoryPolicy.defaultMaximumBytes
    if parts.count > 1 {
      guard let given = ByteSize.parse(parts[1]), 1...HistoryPolicy.greatestBytes ~= given else {
        throw ValueError(allowed: allowed)
      }
      bytes = given
    }
    var age = HistoryPolicy.defaultMaximumAge
    if parts.count > 2 {
      guard let given = TimeSpan.parse(parts[2]), Duration.seconds(1)...HistoryPolicy.greatestAge ~= given else {
        throw ValueError(allowed: allowed)
      }
      age = given
    }
    return HistoryPolicy(maximumMessages: messages, maximumBytes: bytes, maximumAge: age)
  }

  /// Rules such as `chat.*=100`, divided by semicolons. A pattern may have equals signs.
  static func rules(_ text: String) throws(ValueError) -> [HistoryPolicies.Rule] {
    var rules: [HistoryPolicies.Rule] = []
    for part in text.split(separator: separator) { rules.append(try rule(part)) }
    return rules
  }

  private static func rule(_ text: Substring) throws(ValueError) -> HistoryPolicies.Rule {
    guard let equals = text.lastIndex(of: "="), equals > text.startIndex else {
      throw ValueError(allowed: "a pattern of channels, an equals sign and \(allowed), or none: 'chat.*=100'")
    }
    let pattern = ChannelPattern(String(text[..<equals]))
    do throws(BroadcastError) { try pattern.validate() } catch {
      throw ValueError(allowed: "a pattern of channels, an equals sign and how much is kept. \(error.message)")
    }
    let policy = text[text.index(after: equals)...]
    return .init(pattern, policy == "none" ? nil : try self.policy(policy))
  }

  /// As it is read again.
  static func format(_ rules: [HistoryPolicies.Rule]) -> String {
    rules.map { rule in
      let policy = rule.policy.map { policy in
        "\(policy.maximumMessages),\(ByteSize.format(policy.maximumBytes)),\(TimeSpan.format(policy.maximumAge))"
      }
      return "\(rule.pattern.glob)=\(policy ?? "none")"
    }.joined(separator: String(separator))
  }
}

/// A position, for an option that has no default.
extension ValueKind<MessagePosition?> {
  static let position = ValueKind(placeholder: "POSITION") { text throws(ValueError) in
    guard let position = MessagePosition(text) else {
      throw ValueError(
        allowed: "a position as --json prints it, such as 1795293978319901-42, or 0-0 for all that is kept")
    }
    return position
  } format: { _ in
    nil
  }
}
