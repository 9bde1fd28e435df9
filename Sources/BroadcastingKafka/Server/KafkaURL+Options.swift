//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

extension KafkaURL {
  /// What stands behind the question mark, over a configuration.
  struct Options {
    private(set) var topic: String?
    private(set) var probeTopic: String
    private(set) var newTopics: NewTopics?
    private(set) var properties: [String: String]

    private var seen: Set<String> = []
    private var create: Bool?

    init(_ query: Substring, _ configuration: KafkaBroadcast.Configuration) throws(BroadcastError) {
      topic = configuration.topic
      probeTopic = configuration.probeTopic
      newTopics = configuration.newTopics
      properties = configuration.properties
      for option in query.split(separator: "&", omittingEmptySubsequences: true) {
        let (name, value) = KafkaURL.cut(option, at: "=")
        let decoded = try KafkaURL.decode(name, "name of an option")
        // Else it may be part of a password with a character that is not encoded, and errors name options.
        guard decoded.utf8.allSatisfy(Self.isNameByte) else {
          throw KafkaURL.invalid(
            "the name of an option has other characters than a to z, digits, dots and underscores; a ? or & in a user or password "
              + "is written %3F or %26")
        }
        guard let value else { throw KafkaURL.invalid("an option has no value; it is written name=value") }
        guard seen.insert(decoded).inserted else { throw KafkaURL.invalid("it has an option twice") }
        try take(decoded, try KafkaURL.decode(value, "value of an option"))
      }
      switch create {
      case false: newTopics = nil
      case true: newTopics = newTopics ?? NewTopics()
      default: break
      }
      for name in [topic, probeTopic] {
        guard let name, let reason = TopicName.reason(name) else { continue }
        throw KafkaURL.invalid("it names a topic that can be none: \(reason)")
      }
      if let topic, topic != probeTopic, let reason = TopicName.innerReason(topic) {
        throw KafkaURL.invalid("topic can't name this one: \(reason)")
      }
      if probeTopic != KafkaBroadcast.Configuration.usualProbeTopic, let reason = TopicName.innerReason(probeTopic) {
        throw KafkaURL.invalid("probe.topic can't name this one: \(reason)")
      }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }

    private mutating func take(_ name: String, _ value: String) throws(BroadcastError) {
      switch name {
      case "topic": topic = value
      case "probe.topic": probeTopic = value
      case "create":
        guard value == "true" || value == "false" else { throw KafkaURL.invalid("create is true or false") }
        create = value == "true"
      case "create.partitions": newTopic.partitions = try number(value, name, upTo: 100_000)
      case "create.replication": newTopic.replication = try number(value, name, upTo: 32_767)
      case _ where name.hasPrefix("create."): newTopic.settings[String(name.dropFirst(7))] = value
      default: properties[name] = value
      }
    }

    private var newTopic: NewTopics {
      get { newTopics ?? NewTopics() }
      set { newTopics = newValue }
    }

    private func number(_ text: String, _ name: String, upTo limit: Int) throws(BroadcastError) -> Int {
      guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text),
        (1...limit).contains(number)
      else { throw KafkaURL.invalid("\(name) is a number from 1 to \(limit)") }
      return number
    }
  }
}
