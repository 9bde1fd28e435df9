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
  private static let firstCallToken: Token = 1 << 32

  private(set) var producer: ProducerHandle
  private let makeProducer: @Sendable () -> Result<ProducerHandle, KafkaFailure>
  private let destroyProducer: @Sendable (ProducerHandle) -> Void
  private let asking: KafkaThread
  private let watching: KafkaThread
  private let loop: EventLoop
  private let url: KafkaURL
  private let timeout: Duration
  private let session: Session

  private(set) var table = DeliveryTable()
  private var readiness = TopicReadiness()
  private var topics: [String: ProducerTopic] = [:]
  /// The last one of them: most calls are for the same.
  private var lastTopic: ProducerTopic?
  /// To be asked for with the next question. One is under way at a time.
  private var toAsk: [String] = []
  private var isAsking = false
  private var askedSince: [String: LoopInstant] = [:]
  /// Part of the next question was asked just now.
  private var repeatsQuestion = false
  /// Calls behind one that the library had no room for, or that came while there was no producer.
  private var backlog: [Token] = []
  /// What the producer has taken and not reported.
  private var unreported = 0

  private var probePlace: ProbePlace?
  /// A probe that came while there was no producer.
  private var waitingProbe: UInt64?
  private var replacement: Replacement?
  private var lastReplacement: LoopInstant?
  private var willContinue = false
  private var isClosed = false

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
  private func produceEach(_ token: Token) {
    guard let messages = table.messages(of: token) else { return }
    var start = messages.startIndex
    while start < messages.endIndex {
      let name = name(of: messages[start])
      let end =
        url.topic != nil
        ? messages.endIndex : messages[start...].firstIndex { $0.channel.name != name } ?? messages.endIndex
      guard let topic = known(name) else {
        return table.refused(
          token, because: KafkaError.publishing(KafkaFailure(.unknownTopic), topic: name, .notSent))
      }
      guard produce(messages[start..<end], token, to: topic) else { return }
      start = end
    }
  }

  /// Returns whether all were taken. What is left is seen to.
  @discardableResult
  private func produce(_ messages: ArraySlice<Message>, _ token: Token, to topic: ProducerTopic) -> Bool {
    let (taken, failure) = producer.produce(messages, to: topic, token: token)
    unreported += taken
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
    return readiness.vanished(name, now: loop.now)
  }

  private func continueBacklog() {
    guard !backlog.isEmpty, replacement == nil else { return }
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

  // MARK: Topics

  /// One that does not answer in this time is asked for again, so that others have their turn.
  private static let longestInquiry = Duration.milliseconds(500)

  private func ask(_ names: [String]) {
    for name in names { askedSince[name] = loop.now }
    toAsk += names
    guard !isAsking, !toAsk.isEmpty, replacement == nil, !isClosed else { return }
    isAsking = true
    // What else is published in this turn goes with it.
    loop.atTurnEnd { [self] in
      if isClosed { return }
      let names = toAsk
      toAsk = []
      let (producer, newTopics, repeats) = (producer, url.newTopics, repeatsQuestion)
      repeatsQuestion = false
      let end = ContinuousClock.now + min(timeout, Self.longestInquiry)
      asking.run {
        if repeats { _ = Inquiries.pause(until: end) }
        return Inquiries(producer, nil).ready(names, creating: newTopics, until: end)
      } then: { [weak self] answers in
        self?.answered(names, answers, by: producer)
      }
    }
  }

  private func answered(
    _ names: [String], _ answers: [String: Result<Int, KafkaFailure>], by asked: ProducerHandle
  ) {
    isAsking = false
    // Since then all are asked for anew.
    guard asked === producer, replacement == nil, !isClosed else { return ask([]) }
    var hasAnswered = false
    for name in names {
      var answer = answers[name] ?? .failure(KafkaFailure(.unknownTopic))
      switch answer {
      case .success:
        hasAnswered = true
        do throws(KafkaFailure) { topics[name] = try producer.topic(name) } catch { answer = .failure(error) }
      case .failure(let failure) where mayPass(failure, name):
        repeatsQuestion = true
        toAsk.append(name)
        continue
      case .failure: break
      }
      askedSince[name] = nil
      for release in readiness.answered(name, answer, now: loop.now) { go(on: release) }
    }
    if hasAnswered { session.heard() }
    ask([])
  }

  /// Whether there is time to ask once more before its callers are told that theirs is over.
  private func mayPass(_ failure: KafkaFailure, _ name: String) -> Bool {
    guard failure.code.isRetriable, url.newTopics != nil || !failure.code.meansUnknownTopic,
      let since = askedSince[name]
    else { return false }
    return loop.now < since + timeout * 8 / 10
  }

  private func go(on release: TopicReadiness.Release) {
    if let failure = release.failure {
      table.refused(release.token, because: KafkaError.publishing(failure, topic: release.topic, .notSent))
    } else if backlog.isEmpty, replacement == nil {
      produceEach(release.token)
    } else {
      backlog.append(release.token)
    }
  }

  // MARK: Probes

  /// Where probes go from now on.
  func setProbePlace(_ place: ProbePlace) { probePlace = place }

  func probe(_ number: UInt64) {
    guard replacement == nil else {
      waitingProbe = number
      return
    }
    guard let place = probePlace else { return }
    do throws(KafkaFailure) {
      let failure = producer.produce(
        Array("\(number)".utf8), key: place.key, to: try producer.topic(place.topic), partition: place.partition,
        token: number & (Self.firstCallToken - 1))
      if let failure { throw failure }
      unreported += 1
    } catch {
      session.probeRefused(number, error)
    }
  }

  // MARK: Reports

  /// There may be reports, or news of the connections.
  func reportsWait() {
    if isClosed || replacement?.isMaking == true { return }
    var hasAnswered = false
    var refusedProbe: (UInt64, KafkaFailure)?
    let hasMore = producer.reports { token, code, status, topic in
      unreported -= 1
      hasAnswered = hasAnswered || code.rawValue >= 0
      if token >= Self.firstCallToken {
        table.settle(token, Self.outcome(code, status, topic))
      } else if code != .none, status != .persisted {
        refusedProbe = (token, KafkaFailure(code))
      }
      if let topic, code.sticksToTopic { _ = forget(topic) }
    }
    if hasAnswered { session.heard() }
    if let (number, failure) = refusedProbe { session.probeRefused(number, failure) }
    while let failure = producer.handle.nextFailure() {
      if failure.code == .fatal { replace(because: failure) } else { session.failed(failure) }
    }
    continueReplacing()
    continueBacklog()
    guard hasMore, !willContinue else { return }
    willContinue = true
    loop.inNextTurn { [weak self] in
      self?.willContinue = false
      self?.reportsWait()
    }
  }

  private static func outcome(_ code: KafkaCode, _ status: DeliveryStatus, _ topic: String?) -> DeliveryTable.Outcome {
    if code == .none || status == .persisted { return .delivered }
    let failure = KafkaFailure(code)
    return status == .notPersisted
      ? .notSent(KafkaError.publishing(failure, topic: topic ?? "", .notSent))
      : .unconfirmed(KafkaError.publishing(failure, topic: topic ?? "", .unconfirmed))
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

  // MARK: Another producer

  /// The way from a producer that can't go on to the next. What the old one has is reported first, so that no caller is told
  /// anew what is known.
  private struct Replacement {
    let failure: KafkaFailure
    /// When reports are waited for no longer.
    let end: LoopInstant
    /// Not before it, so that a cluster which breaks each one is not asked without end.
    let earliest: LoopInstant
    var isMaking = false

    var nextLook: LoopInstant { isMaking ? .distantFuture : max(end, earliest) }
  }

  private static let reportPatience = Duration.seconds(1)
  private static let replacementPause = Duration.seconds(1)

  /// The producer can't go on (`RD_KAFKA_RESP_ERR__FATAL`), as older libraries can't after some lost connections.
  private func replace(because failure: KafkaFailure) {
    guard replacement == nil, !isClosed else { return }
    replacement = Replacement(
      failure: failure, end: loop.now + Self.reportPatience,
      earliest: lastReplacement.map { $0 + Self.replacementPause } ?? loop.now)
    producer.purge()
    loop.inNextTurn { [weak self] in self?.continueReplacing() }
  }

  private func continueReplacing() {
    guard let replacement, !replacement.isMaking, !isClosed else { return }
    let now = loop.now
    guard unreported == 0 || replacement.end <= now, replacement.earliest <= now else { return }
    self.replacement?.isMaking = true
    unreported = 0
    table.nextGeneration(because: KafkaError.publisherLost(replacement.failure))
    let old = producer
    watching.run { [makeProducer, destroyProducer] in
      let made = makeProducer()
      destroyProducer(old)
      return made
    } then: { [weak self] made in
      self?.use(made)
    }
  }

  private func use(_ made: Result<ProducerHandle, KafkaFailure>) {
    // After the end it is destroyed with the others.
    if isClosed { return }
    replacement = nil
    lastReplacement = loop.now
    switch made {
    case .failure(let failure): session.unusable(failure)
    case .success(let producer):
      self.producer = producer
      topics = [:]
      lastTopic = nil
      session.replaced(producer)
      (toAsk, askedSince) = ([], [:])
      ask(readiness.startAnew())
      if let number = waitingProbe.take() { probe(number) }
      continueBacklog()
    }
  }
}
