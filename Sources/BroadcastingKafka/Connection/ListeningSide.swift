//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What a session reads: subscriptions and their topics, and what arrives.
///
/// All that blocks is done on three threads: *asking* does what callers wait for, which may take seconds where topics are made;
/// *watching* looks after the topics; *stopping* ends the reading of partitions, which others wait for that go on elsewhere.
// Sendable: all of it is touched on the loop alone.
final class ListeningSide: @unchecked Sendable {
  typealias Waiter = UnsafeContinuation<BroadcastError?, Never>
  typealias Requests = TopicRequests<Waiter>
  typealias Kind = Requests.Kind

  struct Session {
    var inbox: DriverInbox
    /// Called with the number of a probe that has arrived.
    var probeArrived: (UInt64) -> Void
    /// Called where the user has no right to read the probes.
    var probeUnreadable: (KafkaFailure) -> Void
    /// Called with what the library says of the lines, before anything is read that came later: ``ListeningSide/suspect()``.
    var failed: (KafkaFailure) -> Void
    /// Called when anything has arrived.
    var heard: () -> Void
    /// Called with news of messages that are left out or lost: once, however many those are.
    var leftOut: (BroadcastError) -> Void
    /// Another cluster answers than before: the session is to end.
    var clusterChanged: () -> Void
    /// So many topics have been read that the library had better begin anew: the session is to end.
    var exhausted: (BroadcastError) -> Void
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
  let stopping: KafkaThread
  let inquiries: () -> Inquiries
  let sharedTopic: String?
  let newTopics: NewTopics?
  let session: Session
  let loop: EventLoop
  let timeout: Duration
  let maximumTopics: Int

  var table = ReadTable()
  var shared = SharedChannels()
  /// By their slots.
  var topics: [Topic] = []
  var requests = Requests()
  var isBatchPlanned = false
  var repeatsRequest = false
  /// Who waits for the end of a topic's reading.
  var waitingForStop: [Int: [UInt64]] = [:]
  /// Topics that could not be read for want of a right, until they are. Whoever asks for one of them is told only then.
  private(set) var refusals: [String: KafkaFailure] = [:]
  private static let maximumRefusals = 1_024
  /// Who waits for the first that is read of a topic, or for its end.
  var waitingForRead: [Int: [UInt64]] = [:]
  /// Who is to wait for what has been read up to these ends, while a batch is settled.
  var fencing: [Int: (ends: [Int64], numbers: [UInt64])] = [:]
  /// Fences of subscriptions to a shared topic.
  var cuts: [UInt64: Channel] = [:]
  private(set) var isClosed = false

  // Of reading and watching.
  var arrival = Arrival()
  var watch = TopicWatch()
  var verifications = Verifications()

  /// - Parameters:
  ///   - asking: Does what callers wait for.
  ///   - watching: Looks after the topics.
  ///   - stopping: Ends the reading of partitions.
  ///   - inquiries: What to ask by at the moment: a session may replace its producer.
  ///   - sharedTopic: The one for all channels; nil: each is a topic.
  ///   - newTopics: How topics are made; nil: not at all.
  ///   - timeout: Of the hub's calls, for the words of an error.
  ///   - maximumTopics: The library forgets none of them while the consumer lives.
  init(
    _ consumer: ConsumerHandle, asking: KafkaThread, watching: KafkaThread, stopping: KafkaThread,
    _ inquiries: @escaping () -> Inquiries, sharedTopic: String?, newTopics: NewTopics?, timeout: Duration,
    maximumTopics: Int, _ session: Session, on loop: EventLoop
  ) {
    self.consumer = consumer
    self.asking = asking
    self.watching = watching
    self.stopping = stopping
    self.inquiries = inquiries
    self.sharedTopic = sharedTopic
    self.newTopics = newTopics
    self.timeout = timeout
    self.maximumTopics = maximumTopics
    self.session = session
    self.loop = loop
  }

  /// Reads probes: records with this key, whose values are numbers.
  func startProbe(_ topic: String, partition: Int32, at offset: Int64, key: [UInt8]) throws(KafkaFailure) {
    let slot = try place(topic, .probe(key: key))
    table.start(slot, only: Int(partition), at: offset)
    try consumer.start(topics[slot].handle, partition: partition, at: offset)
  }

  func place(_ name: String, _ role: Role) throws(KafkaFailure) -> Int {
    if let slot = table.knownSlot(of: name) { return slot }
    topics.append(Topic(role: role, handle: try consumer.topic(name, slot: topics.count)))
    return table.slot(of: name)
  }

  // MARK: Ends

  /// Nothing of the topic is handed on after it.
  func stop(_ slot: Int, because error: BroadcastError) {
    watch.forget(slot)
    let count = table.partitions(of: slot)
    for number in table.stop(slot) {
      cuts[number] = nil
      end(number, error)
    }
    for number in waitingForRead.removeValue(forKey: slot) ?? [] { end(number, error) }
    stopping.run { [consumer, handle = topics[slot].handle] in
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
    // Who is told by the call is not told as a loss as well.
    let unconfirmed = Set((waitingForRead[slot] ?? []).compactMap { requests[$0]?.channel })
    shared.removeAll()
    stop(slot, because: error)
    for channel in channels where !unconfirmed.contains(channel) {
      session.inbox.lost(channel, because: error, reason: .brokerLoss)
    }
  }

  /// A right to read it is missing.
  func refused(_ slot: Int, _ failure: KafkaFailure) {
    if case .probe = topics[slot].role { return session.probeUnreadable(failure) }
    let name = table.name(of: slot)
    if refusals.count >= Self.maximumRefusals { refusals = [:] }
    refusals[name] = failure
    lost(slot, because: KafkaError.subscribing(failure, topic: name))
  }

  /// Something of it has come, so there is a right to it.
  func isReadable(_ slot: Int) {
    guard let waiting = waitingForRead.removeValue(forKey: slot) else { return }
    refusals[table.name(of: slot)] = nil
    for number in waiting { end(number, nil) }
  }

  func end(_ number: UInt64, _ error: BroadcastError?) { requests.end(number)?.resume(returning: error) }

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
    var fences: [Int: Set<UInt64>] = [:]
    for (request, waiter) in requests.expire(now: now) {
      if request.kind == .catchUp, let slot = table.knownSlot(of: name(for: request.channel)) {
        fences[slot, default: []].insert(request.number)
      }
      waiter.resume(returning: lateness(request))
    }
    for (slot, numbers) in fences { table.removeFences(numbers, slot) }
    lookIfDue(now: now)
  }

  private func lateness(_ request: Requests.Request) -> BroadcastError {
    switch request.kind {
    case .catchUp: KafkaError.catchingUpTimedOut(request.channel, after: timeout)
    case .subscribe:
      giveUp(request)
        ?? KafkaError.subscribingTimedOut(request.channel, after: timeout, hasManyTopics: sharedTopic == nil)
    case .unsubscribe: KafkaError.endingTimedOut(request.channel, after: timeout)
    }
  }

  /// Nothing came of a topic that could not be read before. Returns why it could not.
  private func giveUp(_ request: Requests.Request) -> BroadcastError? {
    let name = name(for: request.channel)
    guard let slot = table.knownSlot(of: name), let index = waitingForRead[slot]?.firstIndex(of: request.number) else {
      return nil
    }
    waitingForRead[slot]?.remove(at: index)
    shared.remove(request.channel)
    if shared.isEmpty, table.phase(of: slot) == .reading { stop(slot, because: .notConnected) }
    return refusals[name].map { KafkaError.subscribing($0, topic: name) }
  }

  /// Ends all who wait. Nothing is called back after it.
  func close(because error: BroadcastError) {
    if isClosed { return }
    isClosed = true
    verifications = Verifications()
    for waiter in requests.removeAll() { waiter.resume(returning: error) }
  }
}
