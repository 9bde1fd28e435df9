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
