//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import BroadcastingNetwork

/// Topics are asked for before their first message.
extension PublishingSide {
  /// One that does not answer in this time is asked for again, so that others have their turn.
  private static var longestInquiry: Duration { .milliseconds(500) }

  /// A broker that has just started may not know of all topics as yet.
  private static var timeToHear: Duration { .milliseconds(300) }

  func ask(_ names: [String]) {
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
      let time = min(timeout, Self.longestInquiry)
      asking.run {
        // The thread may have had other questions first.
        let end = ContinuousClock.now + time
        if repeats { _ = Inquiries.pause(until: end) }
        // Messages to a partition without a leader wait for one by themselves.
        return Inquiries(producer, nil).ready(
          names, creating: newTopics, ifServedInPart: true, returningEarly: true, until: end)
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
      case .success(let partitions):
        hasAnswered = true
        do throws(KafkaFailure) {
          let topic = try producer.topic(name)
          topics[name] = topic
          if windows[topic.number] == nil { windows[topic.number] = SendWindow(partitions: partitions) }
        } catch {
          answer = .failure(error)
        }
      case .failure(let failure) where mayPass(failure, name):
        repeatsQuestion = true
        toAsk.append(name)
        continue
      case .failure(let failure): answer = .failure(failure.lasting(unless: url.newTopics))
      }
      askedSince[name] = nil
      for release in readiness.answered(name, answer, now: loop.now) { go(on: release) }
    }
    if hasAnswered { session.heard() }
    renewIfFull()
    ask([])
  }

  /// Whether there is time to ask once more before its callers are told that theirs is over.
  private func mayPass(_ failure: KafkaFailure, _ name: String) -> Bool {
    guard failure.code.isRetriable, let since = askedSince[name] else { return false }
    let patience = timeout * 8 / 10
    return loop.now < since
      + (failure.lasting(unless: url.newTopics).isForGood ? min(patience, Self.timeToHear) : patience)
  }

  private func go(on release: TopicReadiness.Release) {
    if let failure = release.failure {
      table.refused(release.token, because: KafkaError.publishing(failure, topic: release.topic, .notSent))
    } else if backlog.isEmpty, replacement == nil {
      produceEach(release.token)
    } else {
      // In front of those that were called for later: one of them may be for the same topic.
      backlog.insert(release.token, at: backlog.firstIndex { $0 > release.token } ?? backlog.endIndex)
    }
  }
}
