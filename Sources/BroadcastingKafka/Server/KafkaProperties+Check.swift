//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension KafkaProperties {
  /// Asks librdkafka whether it knows all of them, takes their values, and that they fit together. It makes handles for that,
  /// without a broker: that takes some milliseconds.
  func check() throws(BroadcastError) {
    for kind in [KafkaHandle.Kind.producer, .consumer] {
      let values = values(for: kind)
      if let (name, reason) = KafkaHandle.refusedProperty(values) {
        let written = written[name] ?? name
        let words =
          Self.isSecret(name)
          ? "librdkafka does not take the value of the property \(written)"
          : "librdkafka does not take the property \(written): \(Self.naming(written, in: Self.inner(reason)))"
        throw KafkaURL.invalid("\(words); its CONFIGURATION.md names all there are")
      }
      do throws(KafkaFailure) { try KafkaHandle.tryOut(kind, values) } catch {
        throw KafkaURL.invalid(
          "librdkafka makes no client of its properties: \(Self.inner(error.text))\(Self.explanation(error.text))")
      }
    }
  }

  private static func isSecret(_ name: String) -> Bool {
    ["password", "secret", "key", "pem", "token", "username", "jaas", "oauth"].contains {
      name.lowercased().contains($0)
    }
  }

  /// librdkafka calls a property by one of its names, whichever was written.
  private static func naming(_ name: String, in reason: String) -> String {
    let words = "property \""
    guard let start = reason.firstRange(of: words)?.upperBound, let end = reason[start...].firstIndex(of: "\"") else {
      return reason
    }
    return reason[..<start] + name + reason[end...]
  }

  /// One line for the middle of a sentence.
  private static func inner(_ reason: String) -> String {
    let line = KafkaError.sentence(reason)
    return line.last == "." ? String(line.dropLast()) : line
  }

  /// What those are that nobody may have written.
  private static func explanation(_ reason: String) -> String {
    let words = set.filter { reason.contains($0.name) }.map(\.words)
    return words.isEmpty ? "" : " (\(words.joined(separator: "; ")))"
  }

  private static let set = [
    (name: "message.timeout.ms", words: "message.timeout.ms is publishTimeout of the configuration less a second"),
    (name: "enable.idempotence", words: "enable.idempotence is always true here"),
    // Its name in librdkafka's words is another one than it has.
    (name: "reconnect.max.ms", words: "it means reconnect.backoff.ms, which is 100 unless it is given"),
    (name: "`message.max.bytes`", words: "message.max.bytes is 1000000 unless it is given"),
    (name: "receive.message.max.bytes", words: "fetch.max.bytes is 52428800 unless it is given"),
  ]
}
