//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// Probes go the way of all messages, to a topic of their own.
extension PublishingSide {
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

  private static var timeToMakeProbeTopic: Duration { .milliseconds(500) }

  /// Probes go on meanwhile, and each may find out anew: the thread is asked by one at a time, since calls wait for it too.
  func remakeProbeTopic(as settings: NewTopics) {
    if isMakingProbeTopic || isClosed { return }
    isMakingProbeTopic = true
    asking.run { [producer, name = url.probeTopic] in
      _ = Inquiries(producer, nil).ready([name], creating: settings, until: .now + Self.timeToMakeProbeTopic)
    } then: { [weak self] in
      self?.isMakingProbeTopic = false
    }
  }
}
