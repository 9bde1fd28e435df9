//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The errors of a Kafka backend. None holds a password.
enum KafkaError {
  enum Action {
    case connect
    case probe(String)
    case subscribe(String)
    case create(String)
    case publish(String)
  }

  static func rights(_ code: KafkaCode, _ action: Action) -> String {
    guard code.meansNoRight else { return "" }
    switch action {
    case .connect: return " Give the user the rights to the cluster."
    case .probe(let topic):
      return
        " Give the user the rights Describe, Read and Write to the topic \"\(topic)\", and Create where it is not there yet; "
        + "or name another by probe.topic."
    case .subscribe(let topic):
      return
        " Give the user the rights Describe and Read to the topic \"\(topic)\", and Create where it is not there yet."
    case .create(let topic):
      return
        " Give the user the right Create to the topic \"\(topic)\" or the cluster, or make the topic by other means."
    case .publish(let topic):
      return
        " Give the user the rights Describe and Write to the topic \"\(topic)\", and Create where it is not there yet; brokers "
        + "before 2.8 want IdempotentWrite to the cluster too."
    }
  }

  static func missing(_ failure: KafkaFailure, _ topic: String) -> String {
    guard failure.code.meansUnknownTopic else { return "" }
    return failure.isForGood
      ? " There is no topic \"\(topic)\", and it is not to be made from here: make it by other means, as kafka-topics.sh "
        + "--create, or say create=true in the URL."
      : " The topic \"\(topic)\" may have been deleted, or just been made."
  }

  static func error(_ failure: KafkaFailure, _ what: String, _ advice: String) -> BroadcastError {
    BroadcastError(
      failure.code.meansTimedOut ? .timedOut : failure.isRetriable ? .unavailable : .refused,
      "\(what): \(sentence(failure.text))\(advice)", isRetriable: failure.isRetriable)
  }

  private static let maximumCharacters = 300

  /// Makes a sentence of the library's words: one line without control characters, which a terminal would obey.
  static func sentence(_ words: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in words.unicodeScalars { line.append(scalar.properties.generalCategory == .control ? " " : scalar) }
    var text = Substring(String(line))
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    if text.isEmpty { return "No reason is given." }
    if text.count > maximumCharacters { return text.prefix(maximumCharacters) + "…" }
    return text.last.map { ".!?…".contains($0) } == true ? String(text) : text + "."
  }
}
