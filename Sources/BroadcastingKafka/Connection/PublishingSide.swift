//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// What a session publishes: calls to topics that are made ready first, reports of each message, and probes.
// Sendable: all of it is touched on the loop alone.
final class PublishingSide: @unchecked Sendable {
  typealias Token = DeliveryTable.Token

  struct Session {
    /// A broker has answered.
    var heard: () -> Void
    var probeRefused: (UInt64, KafkaFailure) -> Void
    /// The library tells of its connections.
    var failed: (KafkaFailure) -> Void
    /// Another producer is in use from now on: its notices are to be enabled.
    var replaced: (ProducerHandle) -> Void
    /// There is no other producer to be had.
    var unusable: (KafkaFailure) -> Void
  }

  /// Where probes go.
  struct ProbePlace {
    var topic: String
    var partition: Int32
    var key: [UInt8]
  }

  /// Puts tokens of calls and of probes apart: those of calls are greater.
  static let firstCallToken: Token = 1 << 32

  var producer: ProducerHandle
  let makeProducer: @Sendable () -> Result<ProducerHandle, KafkaFailure>
  let destroyProducer: @Sendable (ProducerHandle) -> Void
  let asking: KafkaThread
  let watching: KafkaThread
  let loop: EventLoop
  let url: KafkaURL
  let timeout: Duration
  let session: Session

  var table = DeliveryTable()
  var readiness = TopicReadiness()
  var topics: [String: ProducerTopic] = [:]
  /// The last one of them: most calls are for the same.
  var lastTopic: ProducerTopic?
  /// To be asked for with the next question. One is under way at a time.
  var toAsk: [String] = []
  var isAsking = false
  var askedSince: [String: LoopInstant] = [:]
  /// Part of the next question was asked just now.
  var repeatsQuestion = false
  /// Calls behind one that the library had no room for, or that came while there was no producer.
  var backlog: [Token] = []
  /// What the producer has taken and not reported.
  var unreported = 0
  /// By the topics' numbers.
  var windows: [Int: SendWindow] = [:]
  var touchedWindows: [Int] = []
  private(set) var isContinuing = false

  /// Set once it is known.
  var probePlace: ProbePlace?
  var isMakingProbeTopic = false
  /// A probe that came while there was no producer.
  var waitingProbe: UInt64?
  var replacement: Replacement?
  var lastReplacement: LoopInstant?
  /// How many topics a producer has when another one follows it.
  var renewalSize = 16_384
  private var willContinue = false
  /// When a broker is lost, thousands of messages fail alike.
  private var lastOutcome: (report: DeliveryReport, outcome: DeliveryTable.Outcome)?
  private(set) var isClosed = false

  init(
    _ producer: ProducerHandle, making makeProducer: @escaping @Sendable () -> Result<ProducerHandle, KafkaFailure>,
    destroying destroyProducer: @escaping @Sendable (ProducerHandle) -> Void, asking: KafkaThread,
    watching: KafkaThread, _ url: KafkaURL, timeout: Duration, _ session: Session, on loop: EventLoop
  ) {
    self.producer = producer
    self.makeProducer = makeProducer
    self.destroyProducer = destroyProducer
    self.asking = asking
    self.watching = watching
    self.url = url
    self.timeout = timeout
    self.session = session
    self.loop = loop
  }

  // MARK: Calls

  func publish(_ calls: [PublishCall], deadline: LoopInstant) {
    for call in calls {
      let token = table.add(call, deadline: deadline)
      if replacement != nil || !backlog.isEmpty { backlog.append(token) } else { want(token) }
    }
  }

  /// Produces a call, or sees to it that its topics are made ready.
  private func want(_ token: Token) {
    guard let messages = table.messages(of: token), let first = messages.first else { return }
    if !readiness.hasWaiting, let topic = known(name(of: first)), messages.count == 1 || url.topic != nil {
      produce(messages, token, to: topic)
      return
    }
    var names: [String] = []
    var seen: Set<String> = []
    for message in messages {
      let name = name(of: message)
      guard name != names.last, seen.insert(name).inserted else { continue }
      if name == url.probeTopic { return table.refused(token, because: KafkaError.probeTopic(message.channel)) }
      if url.topic == nil, let refusal = TopicName.refusal(of: message.channel) {
        return table.refused(token, because: refusal)
      }
      names.append(name)
    }
    switch readiness.wants(names, token, now: loop.now) {
    case .ready: produceEach(token)
    case .waiting(let unknown): ask(unknown)
    case .refused(let name, let failure):
      table.refused(token, because: KafkaError.publishing(failure, topic: name, .notSent))
    case .full: table.refused(token, because: KafkaError.tooManyTopics(TopicReadiness.maximumAsked))
    }
  }

  private func name(of message: Message) -> String { url.topic ?? message.channel.name }

  private func known(_ name: String) -> ProducerTopic? {
    if let lastTopic, lastTopic.name == name { return lastTopic }
    guard let topic = topics[name] else { return nil }
    lastTopic = topic
    return topic
  }

  // MARK: Producing

  /// Produces a call whose topics are ready, one run of messages to the same topic after the other.
  func produceEach(_ token: Token) {
    guard let messages = table.messages(of: token) else { return }
    var start = messages.startIndex
    while start < messages.endIndex {
      let name = name(of: messages[start])
      let end =
        url.topic != nil
        ? messages.endIndex : messages[start...].firstIndex { $0.channel.name != name } ?? messages.endIndex
      guard let topic = known(name) else {
        // Another call that was let go with this one found out that it has vanished.
        _ = forget(name)
        return want(token)
      }
      guard produce(messages[start..<end], token, to: topic) else { return }
      start = end
    }
  }

  /// Returns whether all were taken. What is left is seen to.
  @discardableResult
  private func produce(_ messages: ArraySlice<Message>, _ token: Token, to topic: ProducerTopic) -> Bool {
    if waits(token, messages.count, for: topic) { return false }
    let (taken, failure) = producer.produce(messages, to: topic, token: token)
    produced(taken, to: topic)
    table.produced(token, taken)
    guard let failure else { return true }
    switch failure.code {
    case .queueFull: backlog.insert(token, at: 0)
    case .fatal:
      backlog.insert(token, at: 0)
      replace(because: failure)
    case _ where failure.code.sticksToTopic && forget(topic.name): want(token)
    default:
      table.refused(token, because: KafkaError.publishing(failure, topic: topic.name, .notSent))
    }
    return false
  }

  /// Such a topic is to be asked for once more. False where that was done just now.
  private func forget(_ name: String) -> Bool {
    topics[name] = nil
    lastTopic = nil
    let vanishing = readiness.vanished(name, now: loop.now)
    if vanishing.asks { ask([name]) }
    return !vanishing.isAgain
  }

  func continueBacklog() {
    guard !backlog.isEmpty, replacement == nil else { return }
    isContinuing = true
    defer { isContinuing = false }
    let tokens = backlog
    backlog = []
    for (index, token) in tokens.enumerated() {
      want(token)
      if !backlog.isEmpty || replacement != nil {
        backlog += tokens[(index + 1)...]
        return
      }
    }
  }

  // MARK: Reports

  /// There may be reports, or news of the connections.
  func reportsWait() {
    if isClosed || replacement?.isMaking == true { return }
    var hasAnswered = false
    var refusedProbe: (UInt64, KafkaFailure)?
    var run = ReportRun()
    var released: [Token] = []
    let hasMore = producer.reports { report in
      released += count(report, in: &run)
      hasAnswered = hasAnswered || report.code.rawValue >= 0
      if report.token >= Self.firstCallToken {
        table.settle(report.token, outcome(report))
      } else if report.code != .none, report.status != .persisted {
        refusedProbe = (report.token, KafkaFailure(report.code))
      }
      if let topic = report.topic, report.code.sticksToTopic { _ = forget(topic) }
    }
    if hasAnswered { session.heard() }
    if let (number, failure) = refusedProbe { session.probeRefused(number, failure) }
    while let failure = producer.handle.nextFailure() {
      if failure.code == .fatal { replace(because: failure) } else { session.failed(failure) }
    }
    backlog = released + end(run) + backlog
    continueReplacing()
    continueBacklog()
    guard hasMore, !willContinue else { return }
    willContinue = true
    loop.inNextTurn { [weak self] in
      self?.willContinue = false
      self?.reportsWait()
    }
  }

  private func outcome(_ report: DeliveryReport) -> DeliveryTable.Outcome {
    if report.code == .none || report.status == .persisted { return .delivered }
    var alike = report
    alike.token = 0
    if let last = lastOutcome, last.report == alike { return last.outcome }
    let notSent = report.status == .notPersisted
    let error = KafkaError.publishing(
      KafkaFailure(report.code), topic: report.topic ?? "", notSent ? .notSent : .unconfirmed,
      isOneOfMany: report.isOneOfMany)
    let outcome: DeliveryTable.Outcome = notSent ? .notSent(error) : .unconfirmed(error)
    lastOutcome = (alike, outcome)
    return outcome
  }

  // MARK: Deadlines

  var nextDeadline: LoopInstant? {
    guard let replacement else { return table.nextDeadline }
    return min(table.nextDeadline ?? .distantFuture, replacement.nextLook)
  }

  func expire(now: LoopInstant) {
    table.expire(now: now, because: KafkaError.publishingTimedOut(after: timeout, .notSent))
    continueReplacing()
  }

  /// Ends all calls. Nothing is called back after it.
  func close(because error: BroadcastError) {
    isClosed = true
    table.fail(because: error)
    backlog = []
  }
}
