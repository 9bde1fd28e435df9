//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What a session reads: subscriptions and their topics, and what arrives.
///
/// All that blocks is done on two threads: *asking* does what callers wait for, and ends the reading of partitions, so that a
/// subscription which follows comes after that; *watching* looks after the topics.
// Sendable: all of it is touched on the loop alone.
final class ListeningSide: @unchecked Sendable {
  typealias Waiter = UnsafeContinuation<BroadcastError?, Never>
  typealias Requests = TopicRequests<Waiter>
  typealias Kind = Requests.Kind

  struct Session {
    var inbox: DriverInbox
    /// Called with the number of a probe that has arrived.
    var probeArrived: (UInt64) -> Void
    /// Called when anything has arrived.
    var heard: () -> Void
    /// Called with news of messages that are left out: once, however many those are.
    var leftOut: (BroadcastError) -> Void
    /// Another cluster answers than before: the session is to end.
    var clusterChanged: () -> Void
  }

  /// Whose the records of a topic are.
  enum Role {
    case channel(Channel)
    case shared
    case probe(key: [UInt8])
  }

  struct Topic {
    var role: Role
    let handle: ConsumerTopic
  }

  let consumer: ConsumerHandle
  let asking: KafkaThread
  let watching: KafkaThread
  let inquiries: () -> Inquiries
  let sharedTopic: String?
  let newTopics: NewTopics?
  let session: Session
  let loop: EventLoop
  private let timeout: Duration

  var table = ReadTable()
  var shared = SharedChannels()
  /// By their slots.
  var topics: [Topic] = []
  private var requests = Requests()
  private var isBatchPlanned = false
  private var repeatsRequest = false
  /// Who waits for the end of a topic's reading.
  private var waitingForStop: [Int: [UInt64]] = [:]
  /// Fences of subscriptions to a shared topic.
  private var cuts: [UInt64: Channel] = [:]
  private(set) var isClosed = false

  // Of reading and watching.
  var arrival = Arrival()
  var watch = TopicWatch()
  var verifications = Verifications()

  /// One that does not answer in this time is asked again, so that others have their turn.
  private static let longestInquiry = Duration.milliseconds(500)
  /// What is left of a caller's time when the last answer has to be there.
  private static let timeToAnswer = Duration.milliseconds(200)

  /// - Parameters:
  ///   - asking: Does what callers wait for.
  ///   - watching: Looks after the topics.
  ///   - inquiries: What to ask by at the moment: a session may replace its producer.
  ///   - sharedTopic: The one for all channels; nil: each is a topic.
  ///   - newTopics: How topics are made; nil: not at all.
  ///   - timeout: Of the hub's calls, for the words of an error.
  init(
    _ consumer: ConsumerHandle, asking: KafkaThread, watching: KafkaThread, _ inquiries: @escaping () -> Inquiries,
    sharedTopic: String?, newTopics: NewTopics?, timeout: Duration, _ session: Session, on loop: EventLoop
  ) {
    self.consumer = consumer
    self.asking = asking
    self.watching = watching
    self.inquiries = inquiries
    self.sharedTopic = sharedTopic
    self.newTopics = newTopics
    self.timeout = timeout
    self.session = session
    self.loop = loop
  }

  /// Reads probes: records with this key, whose values are numbers.
  func startProbe(_ topic: String, partition: Int32, at offset: Int64, key: [UInt8]) throws(KafkaFailure) {
    let slot = try place(topic, .probe(key: key))
    table.start(slot, only: Int(partition), at: offset)
    try consumer.start(topics[slot].handle, partition: partition, at: offset)
  }

  private func place(_ name: String, _ role: Role) throws(KafkaFailure) -> Int {
    if let slot = table.knownSlot(of: name) { return slot }
    topics.append(Topic(role: role, handle: try consumer.topic(name, slot: topics.count)))
    return table.slot(of: name)
  }

  // MARK: The hub's calls

  /// The waiter gets nil, or why it has not come to pass.
  func ask(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, _ waiter: Waiter) {
    if isClosed { return waiter.resume(returning: .notConnected) }
    if sharedTopic == nil, let refusal = TopicName.refusal(of: channel) { return waiter.resume(returning: refusal) }
    if let slot = table.knownSlot(of: name(for: channel)), case .probe = topics[slot].role {
      return waiter.resume(returning: KafkaError.probeTopic(channel))
    }
    if kind == .catchUp, !isRead(channel) { return waiter.resume(returning: KafkaError.vanished(name(for: channel))) }
    let number = requests.add(kind, channel, deadline: deadline, waiter)
    if kind == .unsubscribe { return unsubscribe(from: channel, number) }
    requests.ask(number)
    planBatch()
  }

  private func name(for channel: Channel) -> String { sharedTopic ?? channel.name }

  private func isRead(_ channel: Channel) -> Bool {
    guard let slot = table.knownSlot(of: name(for: channel)), table.phase(of: slot) == .reading else { return false }
    return sharedTopic == nil || shared.contains(channel)
  }

  private func planBatch() {
    if isBatchPlanned { return }
    isBatchPlanned = true
    loop.atTurnEnd { [weak self] in
      self?.isBatchPlanned = false
      self?.sendBatch()
    }
  }

  private func sendBatch() {
    if isClosed { return }
    let batch = requests.nextBatch()
    guard let latest = batch.map(\.deadline).max() else { return }
    let time = min(latest - loop.now - Self.timeToAnswer, Self.longestInquiry)
    var inquiry = TopicInquiry(newTopics: newTopics, isRepeated: repeatsRequest, deadline: .now + time)
    repeatsRequest = false
    for request in batch {
      let name = name(for: request.channel)
      if request.kind == .subscribe {
        inquiry.names.insert(name)
      } else if let slot = table.knownSlot(of: name) {
        inquiry.known[name] = table.partitions(of: slot)
      }
    }
    let numbers = batch.map(\.number)
    asking.run { [inquiries = inquiries(), inquiry] in
      inquiry.ask(inquiries)
    } then: { [weak self] answers in
      self?.answered(numbers, answers)
    }
  }

  private func answered(_ numbers: [UInt64], _ answers: [String: Result<[Int64], KafkaFailure>]) {
    if isClosed { return }
    requests.answered()
    for number in numbers {
      // Whose time is over is not there any more.
      guard let request = requests[number] else { continue }
      let name = name(for: request.channel)
      switch answers[name] ?? .failure(KafkaFailure(.unknownTopic)) {
      case .success(let ends): settle(request, name, ends)
      case .failure(let failure): settle(request, name, failure)
      }
    }
    resumeReached()
    sendBatch()
  }

  private func settle(_ request: Requests.Request, _ name: String, _ failure: KafkaFailure) {
    let mayChange = failure.code.isRetriable && (newTopics != nil || !failure.code.meansUnknownTopic)
    if mayChange, request.kind == .subscribe || !failure.code.meansUnknownTopic,
      loop.now + Self.timeToAnswer < request.deadline
    {
      return repeatLater(request)
    }
    if request.kind == .catchUp, failure.code.meansUnknownTopic { hint() }
    end(
      request.number,
      failure.concernsCreation
        ? KafkaError.creating(failure, topic: name) : KafkaError.subscribing(failure, topic: name))
  }

  private func repeatLater(_ request: Requests.Request) {
    repeatsRequest = true
    requests.ask(request.number)
  }

  private func settle(_ request: Requests.Request, _ name: String, _ ends: [Int64]) {
    if request.kind == .catchUp {
      guard isRead(request.channel), let slot = table.knownSlot(of: name) else {
        return end(request.number, KafkaError.vanished(name))
      }
      return table.fence(request.number, slot, ends)
    }
    do throws(KafkaFailure) {
      let slot = try place(name, sharedTopic == nil ? .channel(request.channel) : .shared)
      switch table.phase(of: slot) {
      case .stopping: return repeatLater(request)
      case .off:
        if sharedTopic != nil { shared.add(request.channel, from: nil, number: request.number) }
        try start(slot, at: ends)
      case .reading:
        // A partition that is new is read from its beginning, for those who are there already.
        try readNew(slot, upTo: ends.count)
        guard sharedTopic != nil else { break }
        shared.add(request.channel, from: ends, number: request.number)
        cuts[request.number] = request.channel
        table.fence(request.number, slot, ends)
      }
      end(request.number, nil)
    } catch {
      end(request.number, KafkaError.subscribing(error, topic: name))
    }
  }

  private func start(_ slot: Int, at offsets: [Int64]) throws(KafkaFailure) {
    table.start(slot, at: offsets)
    do throws(KafkaFailure) {
      for (partition, offset) in offsets.enumerated() {
        try consumer.start(topics[slot].handle, partition: Int32(clamping: partition), at: offset)
      }
    } catch {
      shared.removeAll()
      stop(slot, because: KafkaError.subscribing(error, topic: table.name(of: slot)))
      throw error
    }
  }

  /// Partitions were added to the topic.
  func readNew(_ slot: Int, upTo count: Int) throws(KafkaFailure) {
    for partition in table.extend(slot, to: count) {
      try consumer.start(topics[slot].handle, partition: Int32(clamping: partition), at: -2)
    }
  }

  private func unsubscribe(from channel: Channel, _ number: UInt64) {
    shared.remove(channel)
    guard let slot = table.knownSlot(of: name(for: channel)), table.phase(of: slot) != .off, shared.isEmpty else {
      return end(number, nil)
    }
    waitingForStop[slot, default: []].append(number)
    if table.phase(of: slot) == .reading { stop(slot, because: .notConnected) }
  }

  // MARK: Ends

  /// Nothing of the topic is handed on after it.
  private func stop(_ slot: Int, because error: BroadcastError) {
    let count = table.partitions(of: slot)
    for number in table.stop(slot) {
      cuts[number] = nil
      end(number, error)
    }
    asking.run { [consumer, handle = topics[slot].handle] in
      for partition in 0..<count { consumer.stop(handle, partition: Int32(clamping: partition)) }
    } then: { [weak self] in
      self?.stopped(slot)
    }
  }

  private func stopped(_ slot: Int) {
    if isClosed { return }
    table.stopped(slot)
    for number in waitingForStop.removeValue(forKey: slot) ?? [] { end(number, nil) }
  }

  /// The topic can't be read any more: the hub asks for its channels again.
  func lost(_ slot: Int, because error: BroadcastError) {
    guard table.phase(of: slot) == .reading else { return }
    let channels: [Channel]
    switch topics[slot].role {
    case .channel(let channel): channels = [channel]
    case .shared: channels = shared.channels
    // A probe that does not arrive tells by itself.
    case .probe: return
    }
    shared.removeAll()
    stop(slot, because: error)
    for channel in channels { session.inbox.lost(channel, because: error, reason: .brokerLoss) }
  }

  private func end(_ number: UInt64, _ error: BroadcastError?) { requests.end(number)?.resume(returning: error) }

  /// Tells who waited for what has been read by now.
  func resumeReached() {
    for number in table.takeReached() {
      if let channel = cuts.removeValue(forKey: number) {
        shared.endCut(number, of: channel)
      } else {
        end(number, nil)
      }
    }
  }

  // MARK: Time

  var nextDeadline: LoopInstant? {
    [requests.nextDeadline, verifications.nextDeadline].compactMap { $0 }.min()
  }

  func expire(now: LoopInstant) {
    for (request, waiter) in requests.expire(now: now) {
      if request.kind == .catchUp, let slot = table.knownSlot(of: name(for: request.channel)) {
        table.removeFence(request.number, slot)
      }
      waiter.resume(
        returning: request.kind == .catchUp
          ? KafkaError.catchingUpTimedOut(request.channel, after: timeout)
          : KafkaError.subscribingTimedOut(request.channel, after: timeout))
    }
    lookIfDue(now: now)
  }

  /// Ends all who wait. Nothing is called back after it.
  func close(because error: BroadcastError) {
    if isClosed { return }
    isClosed = true
    verifications = Verifications()
    for waiter in requests.removeAll() { waiter.resume(returning: error) }
  }
}
