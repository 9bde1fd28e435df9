//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// Which channels can be topics of their own: Kafka's rule for names (its class `org.apache.kafka.common.internals.Topic`), but
/// for those that programs keep for themselves.
enum TopicName {
  static let maximumBytes = 249

  /// Why a channel can't be a topic, with the way out; nil when it can.
  static func refusal(of channel: Channel) -> BroadcastError? {
    guard let reason = reason(channel.name) ?? innerReason(channel.name) else { return nil }
    return BroadcastError(
      .invalidChannel,
      "The channel \"\(channel)\" can't be a topic of Kafka: \(reason). One topic for all channels takes any name: add "
        + "?topic=NAME to the URL.")
  }

  /// The rule that a name breaks.
  static func reason(_ name: String) -> String? {
    let count = name.utf8.count
    if count == 0 { return "its name is empty" }
    if count > maximumBytes { return "its name has \(count) bytes, and at most \(maximumBytes) are allowed" }
    if name == "." || name == ".." { return "its name can be neither \".\" nor \"..\"" }
    guard name.utf8.allSatisfy(isAllowed) else {
      return "its name can hold ASCII letters, digits, dots, underscores and hyphens alone"
    }
    return nil
  }

  /// Why a name that Kafka takes is none for messages.
  static func innerReason(_ name: String) -> String? {
    name.hasPrefix("__")
      ? "names that begin with two underscores are those of Kafka's own topics, and of such programs" : nil
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
