//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import BroadcastingNetwork

/// Which topics can be published to, and the calls that wait until theirs can: a machine that does nothing itself.
///
/// A topic is asked for before its first message: the library would take half a second for it, and the topic may have to be
/// made. The calls of one topic keep their order. One with messages to several topics waits until all are ready and it is the
/// first that waits for each; others pass it.
struct TopicReadiness {
  typealias Token = DeliveryTable.Token

  enum Verdict: Equatable {
    /// Produce it now.
    case ready
    /// It is released later. These topics are to be asked for.
    case waiting(ask: [String])
    case refused(String, KafkaFailure)
    /// Too many topics are asked for already.
    case full
  }

  /// A call that waits no more: it can be produced, or fails.
  struct Release: Equatable {
    var token: Token
    var topic: String
    var failure: KafkaFailure?
  }

  private enum State {
    case asked
    case ready(since: LoopInstant)
  }

  /// In the order of their coming. Tokens that `needs` has not got are over.
  private struct Queue {
    var tokens: [Token] = []
    var first = 0

    mutating func dropFirst() {
      first += 1
      if first > 256, first > tokens.count / 2 {
        tokens.removeFirst(first)
        first = 0
      }
    }
  }

  static let maximumAsked = 4_096
  /// How long a refusal holds, so that a publisher who goes on makes no questions.
  static let refusalMemory = Duration.seconds(1)
  static let maximumRefusals = 1_024

  private var states: [String: State] = [:]
  private var asked = 0
  private var refusals: [String: (failure: KafkaFailure, end: LoopInstant)] = [:]
  private var queues: [String: Queue] = [:]
  /// The topics of each call that waits.
  private var needs: [Token: [String]] = [:]

  /// Whether any call waits.
  var hasWaiting: Bool { !needs.isEmpty }

  // MARK: Calls

  /// - Parameter topics: of the call, each once.
  mutating func wants(_ topics: [String], _ token: Token, now: LoopInstant) -> Verdict {
    var unknown: [String] = []
    var mustWait = false
    for topic in topics {
      switch states[topic] {
      case .ready: mustWait = mustWait || queues[topic] != nil
      case .asked: mustWait = true
      case nil:
        if let (failure, end) = refusals[topic], now < end { return .refused(topic, failure) }
        unknown.append(topic)
      }
    }
    guard asked + unknown.count <= Self.maximumAsked else { return .full }
    if !mustWait, unknown.isEmpty { return .ready }
    for topic in unknown { states[topic] = .asked }
    asked += unknown.count
    for topic in topics { queues[topic, default: Queue()].tokens.append(token) }
    needs[token] = topics
    return .waiting(ask: unknown)
  }

  // MARK: Topics

  /// A topic that was asked for has so many partitions, or can't be had. Returns the calls that this concerns.
  mutating func answered(_ topic: String, _ result: Result<Int, KafkaFailure>, now: LoopInstant) -> [Release] {
    guard case .asked = states[topic] else { return [] }
    asked -= 1
    switch result {
    case .success:
      states[topic] = .ready(since: now)
      return release(from: [topic])
    case .failure(let failure):
      states[topic] = nil
      if !failure.isRetriable {
        if refusals.count >= Self.maximumRefusals { refusals = [:] }
        refusals[topic] = (failure, now + Self.refusalMemory)
      }
      return fail(topic, failure)
    }
  }

  private mutating func fail(_ topic: String, _ failure: KafkaFailure) -> [Release] {
    guard let queue = queues.removeValue(forKey: topic) else { return [] }
    var releases: [Release] = []
    var others: [String] = []
    for token in queue.tokens[queue.first...] {
      guard let topics = needs.removeValue(forKey: token) else { continue }
      releases.append(Release(token: token, topic: topic, failure: failure))
      others += topics.filter { $0 != topic }
    }
    return releases + release(from: others)
  }

  /// Lets go, as far as they can, those that wait for topics.
  private mutating func release(from topics: [String]) -> [Release] {
    var releases: [Release] = []
    var left = topics
    while let topic = left.popLast() {
      while let token = first(of: topic), let needed = needs[token], needed.allSatisfy({ canGo(token, to: $0) }) {
        needs[token] = nil
        releases.append(Release(token: token, topic: topic))
        for other in needed where other != topic { left.append(other) }
      }
    }
    return releases
  }

  private mutating func canGo(_ token: Token, to topic: String) -> Bool {
    guard case .ready = states[topic] else { return false }
    return first(of: topic) == token
  }

  /// The first call that waits for a topic.
  private mutating func first(of topic: String) -> Token? {
    while let queue = queues[topic] {
      guard queue.first < queue.tokens.count else {
        queues[topic] = nil
        return nil
      }
      let token = queue.tokens[queue.first]
      if needs[token] != nil { return token }
      queues[topic]?.dropFirst()
    }
    return nil
  }

  /// What follows from a topic that is not there any more.
  struct Vanishing: Equatable {
    /// That was so just now too: the one who found out is to fail, and not to ask for it once more.
    var isAgain: Bool
    /// Whether it is to be asked for at once, since calls wait that need it beside another one.
    var asks: Bool
  }

  /// There is no such topic, although there was.
  mutating func vanished(_ topic: String, now: LoopInstant) -> Vanishing {
    guard case .ready(let since) = states[topic] else { return Vanishing(isAgain: false, asks: false) }
    let asks = first(of: topic) != nil
    states[topic] = asks ? .asked : nil
    if asks { asked += 1 }
    return Vanishing(isAgain: now < since + Self.refusalMemory, asks: asks)
  }

  /// What was known is known no more, since another producer publishes from now on. Returns the topics to be asked for.
  mutating func startAnew() -> [String] {
    let waiting = queues.keys.filter { first(of: $0) != nil }
    states = [:]
    for topic in waiting { states[topic] = .asked }
    asked = waiting.count
    return waiting
  }
}
