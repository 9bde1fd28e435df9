//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import BroadcastingNetwork

/// A producer that can't go on makes room for another.
extension PublishingSide {
  /// The way from a producer that can't go on to the next. What the old one has is reported first, so that no caller is told
  /// anew what is known.
  struct Replacement {
    let failure: KafkaFailure
    /// When reports are waited for no longer.
    let end: LoopInstant
    /// Not before it, so that a cluster which breaks each one is not asked without end.
    let earliest: LoopInstant
    var isMaking = false

    var nextLook: LoopInstant { isMaking ? .distantFuture : max(end, earliest) }
  }

  private static var reportPatience: Duration { .seconds(1) }
  private static var replacementPause: Duration { .seconds(1) }

  private static var renewalPause: Duration { .seconds(300) }

  /// A producer keeps each topic that it was asked for until its end. So that those which nobody uses any more go, another one
  /// follows it once it has many.
  func renewIfFull() {
    guard producer.handle.topicCount >= renewalSize, replacement == nil, !isClosed,
      lastReplacement.map({ $0 + Self.renewalPause <= loop.now }) ?? true
    else { return }
    replacement = Replacement(
      failure: KafkaFailure(.queueFull, "It had too many topics."), end: loop.now + timeout, earliest: loop.now)
    // Without a purge: what it has comes to its end.
    loop.inNextTurn { [weak self] in self?.continueReplacing() }
  }

  /// The producer can't go on (`RD_KAFKA_RESP_ERR__FATAL`), as older libraries can't after some lost connections.
  func replace(because failure: KafkaFailure) {
    guard replacement == nil, !isClosed else { return }
    replacement = Replacement(
      failure: failure, end: loop.now + Self.reportPatience,
      earliest: lastReplacement.map { $0 + Self.replacementPause } ?? loop.now)
    producer.purge()
    loop.inNextTurn { [weak self] in self?.continueReplacing() }
  }

  func continueReplacing() {
    guard let replacement, !replacement.isMaking, !isClosed else { return }
    let now = loop.now
    guard unreported == 0 || replacement.end <= now, replacement.earliest <= now else { return }
    self.replacement?.isMaking = true
    unreported = 0
    closeWindows()
    table.nextGeneration(because: KafkaError.publisherLost(replacement.failure))
    let old = producer
    // By its end the pipe may be closed, and its descriptor another's.
    old.handle.disableNotices()
    // The session's threads may be waiting for a broker, and publishing waits for this. Nor is the old one's end waited for.
    let thread: KafkaThread
    do throws(NetworkError) { thread = try KafkaThread(answeringOn: loop) } catch { thread = watching }
    thread.run { [makeProducer] in
      makeProducer()
    } then: { [weak self] made in
      self?.use(made)
    }
    thread.run { [destroyProducer] in
      destroyProducer(old)
    } then: {
    }
    if thread !== watching { thread.end() }
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
