//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What the hub asks for: subscriptions and fences, in batches, and their ends.
extension ListeningSide {
  /// One that does not answer in this time is asked again, so that others have their turn.
  private static var longestInquiry: Duration { .milliseconds(500) }
  /// What is left of a caller's time when the last answer has to be there.
  private static var timeToAnswer: Duration { .milliseconds(200) }

  /// The waiter gets nil, or why it has not come to pass.
  func ask(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, _ waiter: Waiter) {
    if isClosed { return waiter.resume(returning: .notConnected) }
    if sharedTopic == nil, let refusal = TopicName.refusal(of: channel) { return waiter.resume(returning: refusal) }
    if let slot = table.knownSlot(of: name(for: channel)), case .probe = topics[slot].role {
      return waiter.resume(returning: KafkaError.probeTopic(channel))
    }
    if kind == .catchUp, !isRead(channel) { return waiter.resume(returning: KafkaError.notRead(channel)) }
    let number = requests.add(kind, channel, deadline: deadline, waiter)
    if kind == .unsubscribe { return unsubscribe(from: channel, number) }
    requests.ask(number)
    planBatch()
  }

  func name(for channel: Channel) -> String { sharedTopic ?? channel.name }

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
    let time = latest - loop.now - Self.timeToAnswer
    var inquiry = TopicInquiry(
      newTopics: newTopics, isRepeated: repeatsRequest, patience: Self.longestInquiry,
      deadlineOfCreation: .now + time)
    repeatsRequest = false
    // Who came after a topic was made must not get what is in it.
    let latecomers = Set(batch.lazy.filter { !$0.hasMadeTopic }.map { [self] in name(for: $0.channel) })
    for request in batch {
      let name = name(for: request.channel)
      if request.kind == .subscribe {
        inquiry.names.insert(name)
        if !latecomers.contains(name) { inquiry.made.insert(name) }
      } else if let slot = table.knownSlot(of: name) {
        inquiry.known[name] = table.partitions(of: slot)
      }
    }
    let numbers = batch.map(\.number)
    asking.run { [inquiries = inquiries(), inquiry] in
      inquiry.ask(inquiries)
    } then: { [weak self] answer in
      self?.answered(numbers, answer)
    }
  }

  private func answered(_ numbers: [UInt64], _ answer: TopicInquiry.Answer) {
    if isClosed { return }
    requests.answered(now: loop.now, timeout: timeout)
    fencing = [:]
    for number in numbers {
      // Whose time is over is not there any more.
      guard let request = requests[number] else { continue }
      let name = name(for: request.channel)
      if answer.made.contains(name) { requests.noteMade(number) }
      switch answer.ends[name] ?? .failure(KafkaFailure(.unknownTopic)) {
      case .success(let ends): settle(request, name, ends)
      case .failure(let failure): settle(request, name, failure)
      }
    }
    beginFences()
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
        ? KafkaError.creating(failure, topic: name)
        : KafkaError.subscribing(
          request.kind == .subscribe ? failure.lasting(unless: newTopics) : failure, topic: name,
          hasManyTopics: sharedTopic == nil))
  }

  private func repeatLater(_ request: Requests.Request) {
    repeatsRequest = true
    requests.ask(request.number)
  }

  private func settle(_ request: Requests.Request, _ name: String, _ ends: [Int64]) {
    if request.kind == .catchUp {
      guard isRead(request.channel), let slot = table.knownSlot(of: name) else {
        return end(request.number, KafkaError.notRead(request.channel))
      }
      do throws(KafkaFailure) { try readNew(slot, upTo: ends.count) } catch {
        return end(request.number, KafkaError.subscribing(error, topic: name))
      }
      return fence(request.number, slot, ends)
    }
    if table.knownSlot(of: name) == nil, topics.count >= maximumTopics { return refuseNewTopic(request) }
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
        fence(request.number, slot, ends)
      }
      if refusals[name] != nil { return waitingForRead[slot, default: []].append(request.number) }
      end(request.number, nil)
    } catch {
      end(request.number, KafkaError.subscribing(error, topic: name))
    }
  }

  /// Where most topics are not read any more a new session helps.
  private func refuseNewTopic(_ request: Requests.Request) {
    let error = KafkaError.tooManyTopicsRead(maximumTopics)
    end(request.number, error)
    if table.reading.count <= maximumTopics / 2 { session.exhausted(error) }
  }

  /// All of a batch wait for the same.
  private func fence(_ number: UInt64, _ slot: Int, _ ends: [Int64]) {
    fencing[slot, default: (ends, [])].numbers.append(number)
  }

  private func beginFences() {
    for (slot, fence) in fencing {
      if table.phase(of: slot) == .reading {
        table.fence(fence.numbers, slot, fence.ends)
      } else {
        for number in fence.numbers {
          cuts[number] = nil
          end(number, .notConnected)
        }
      }
    }
    fencing = [:]
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
}
