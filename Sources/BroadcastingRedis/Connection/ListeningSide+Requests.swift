//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Subscriptions: what is asked for on the line that listens, and what the server answers to it.
extension ListeningSide {
  var nextDeadline: LoopInstant? { requests.nextDeadline }

  /// A channel with a history is asked for after the channel of its announcements, and given up before it.
  func ask(_ kind: Requests.Kind, _ subject: Requests.Subject, deadline: LoopInstant, _ caller: Caller?) {
    let waiter = caller.map { Waiter.caller($0) }
    guard let kept = subject.isPattern ? nil : keptChannel(subject.name) else {
      return send(kind, subject, deadline: deadline, waiter)
    }
    let announcing = Requests.Subject(name: kept.announcements)
    switch kind {
    case .subscribe:
      announcements.listen(to: kept)
      send(kind, announcing, deadline: deadline, .channel)
      send(kind, subject, deadline: deadline, waiter)
    case .unsubscribe:
      announcements.forget(kept)
      send(kind, subject, deadline: deadline, waiter)
      send(kind, announcing, deadline: deadline, nil)
    }
  }

  private func keptChannel(_ name: [UInt8]) -> KeptChannel? {
    guard let kept, let channel = Channel(utf8: name) else { return nil }
    return kept.kept(channel)
  }

  private func send(_ kind: Requests.Kind, _ subject: Requests.Subject, deadline: LoopInstant, _ waiter: Waiter?) {
    requests.add(kind, subject, deadline: deadline, waiter)
    line.send(Self.word(kind, subject), subject.name)
  }

  private static func word(_ kind: Requests.Kind, _ subject: Requests.Subject) -> String {
    switch kind {
    case .subscribe: subject.isPattern ? "PSUBSCRIBE" : "SUBSCRIBE"
    case .unsubscribe: subject.isPattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE"
    }
  }

  func expire(now: LoopInstant, after timeout: Duration) {
    for waiter in requests.expire(now: now) {
      guard case .caller(let caller) = waiter else { continue }
      caller.resume(returning: RedisError.subscribingTimedOut(server, after: timeout))
    }
  }

  func close(because error: BroadcastError) {
    line.close()
    failRequests(because: error)
  }

  func failRequests(because error: BroadcastError) {
    for waiter in requests.removeAll() { if case .caller(let caller) = waiter { caller.resume(returning: error) } }
  }

  /// Returns false where nothing was asked, so that it is about the connection.
  func refused(_ refusal: Refusal) -> Bool {
    let withoutAnnouncements = refusedAnnouncements.take()
    guard let (subject, waiter) = requests.refused() else {
      session.fail(RedisError.refused(refusal, by: server))
      return false
    }
    switch waiter {
    case .channel: refusedAnnouncements = refusal
    case .caller(let caller):
      if withoutAnnouncements == nil { giveUpAnnouncements(of: subject) }
      caller.resume(
        returning: subject.name == session.probeChannel
          ? RedisError.probing(refusal, at: server) : RedisError.subscribing(refusal, to: subject.name, at: server))
    case nil: break
    }
    return true
  }

  /// The channel itself was refused, and has not been asked for again.
  private func giveUpAnnouncements(of subject: Requests.Subject) {
    guard !subject.isPattern, !requests.hasRequest(for: subject), let kept = keptChannel(subject.name) else { return }
    announcements.forget(kept)
    send(.unsubscribe, Requests.Subject(name: kept.announcements), deadline: .distantFuture, nil)
  }

  func confirmed(_ kind: Requests.Kind, _ subject: Requests.Subject) -> Bool {
    let withoutAnnouncements = refusedAnnouncements.take()
    if kind == .subscribe { announcements.confirmed(subject.name) }
    switch requests.confirmed(kind, subject) {
    case .done(.channel): break
    case .done(.caller(let caller)):
      if withoutAnnouncements != nil, !requests.hasRequest(for: subject) {
        ask(.unsubscribe, subject, deadline: .distantFuture, nil)
      }
      caller.resume(returning: withoutAnnouncements.map { RedisError.announcements($0, at: server) })
    case .late: break
    case .unwanted: ask(.unsubscribe, subject, deadline: .distantFuture, nil)
    case .unexpected: return false
    }
    return true
  }
}
