//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// The line that subscribes: subscriptions out, their answers and all messages in.
final class ListeningSide: RedisLineOwner {
  typealias Requests = SubscriptionRequests<UnsafeContinuation<BroadcastError?, Never>>

  struct Session {
    var inbox: DriverInbox
    var probeChannel: [UInt8]
    /// Called with the number of a probe that has arrived.
    var probeArrived: (UInt64) -> Void
    /// Called when anything has arrived.
    var heard: () -> Void
    /// Ends the session.
    var fail: (BroadcastError) -> Void
    /// Called once, when messages on a channel come that no channel here can be.
    var impossibleName: (Int) -> Void
  }

  private let line: RedisLine
  private let server: RedisURL
  private let session: Session
  private let loop: EventLoop
  private var requests = Requests()
  private var arrived = ArrivedMessages()
  private var pace: ReadingPace
  private var toldImpossibleName = false

  init(_ line: RedisLine, _ server: RedisURL, _ session: Session, on loop: EventLoop) {
    self.line = line
    self.server = server
    self.session = session
    self.loop = loop
    pace = ReadingPace(now: loop.now)
    line.owner = self
  }

  // MARK: Subscribing

  var nextDeadline: LoopInstant? { requests.nextDeadline }

  func ask(
    _ kind: Requests.Kind, _ subject: Requests.Subject, deadline: LoopInstant,
    _ waiter: UnsafeContinuation<BroadcastError?, Never>?
  ) {
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
      waiter.resume(returning: RedisError.subscribingTimedOut(server, after: timeout))
    }
  }

  /// Ends all calls.
  func close(because error: BroadcastError) {
    line.close()
    for waiter in requests.removeAll() { waiter.resume(returning: error) }
  }

  // MARK: What the line says

  func received(_ reply: ReplyReader.Reply) {
    switch reply {
    case .list:
      if !receivedList(line.elements) { session.fail(RedisError.unexpected(from: server)) }
    case .error(let text):
      let refusal = Refusal(text)
      guard let (subject, waiter) = requests.refused() else {
        return session.fail(RedisError.refused(refusal, by: server))
      }
      waiter?.resume(
        returning: subject.name == session.probeChannel
          ? RedisError.probing(refusal, at: server) : RedisError.subscribing(refusal, at: server))
    case .text, .integer, .nothing:
      session.fail(RedisError.unexpected(from: server))
    }
  }

  /// Returns false for what a server never sends to a subscriber.
  private func receivedList(_ elements: [ReplyReader.Element]) -> Bool {
    guard elements.count >= 3, case .text(let kind) = elements[0], case .text(let name) = elements[1] else {
      return false
    }
    if kind == PushKind.message {
      guard case .text(let payload) = elements[2] else { return false }
      receive(payload, on: name, matching: nil)
      return true
    }
    if kind == PushKind.patternMessage {
      guard elements.count == 4, case .text(let channel) = elements[2], case .text(let payload) = elements[3] else {
        return false
      }
      receive(payload, on: channel, matching: name)
      return true
    }
    guard let (kind, isPattern) = PushKind.confirmation(kind) else { return false }
    return confirmed(kind, Requests.Subject(name: name, isPattern: isPattern))
  }

  private func receive(_ payload: [UInt8], on name: [UInt8], matching pattern: [UInt8]?) {
    switch arrived.name(name) {
    case .channel(let channel):
      if let batch = arrived.add(payload, on: channel, matching: pattern) { hand(batch) }
    case .probe:
      guard name == session.probeChannel, pattern == nil else { return }
      if let number = UInt64(String(decoding: payload, as: UTF8.self)) { session.probeArrived(number) }
    case .impossible:
      guard !toldImpossibleName else { return }
      toldImpossibleName = true
      session.impossibleName(name.count)
    }
  }

  private func confirmed(_ kind: Requests.Kind, _ subject: Requests.Subject) -> Bool {
    switch requests.confirmed(kind, subject) {
    case .done(let waiter): waiter.resume(returning: nil)
    case .late: break
    case .unwanted: ask(.unsubscribe, subject, deadline: .distantFuture, nil)
    case .unexpected: return false
    }
    return true
  }

  private func hand(_ batch: ArrivedMessages.Batch) {
    if let pattern = batch.pattern {
      session.inbox.received(batch.messages, matching: pattern)
    } else {
      session.inbox.received(batch.messages, on: batch.channel)
    }
  }

  func receivedAll() {
    if let batch = arrived.takeAll() { hand(batch) }
    pace.read(line.takeReadBytes(), now: loop.now)
    session.heard()
  }

  func drained() {}

  func violated(_ violation: ReplyReader.Violation) {
    session.fail(RedisError.notRedis(violation, server, isNew: false))
  }

  func lost(_ error: NetworkError?) {
    session.fail(RedisError.lost(server, error, wasBusy: pace.isBusy(now: loop.now)))
  }
}

/// The words that begin what a server sends to a subscriber.
private enum PushKind {
  static let message = Array("message".utf8)
  static let patternMessage = Array("pmessage".utf8)
  private static let confirmations: [[UInt8]: (ListeningSide.Requests.Kind, Bool)] = [
    Array("subscribe".utf8): (.subscribe, false), Array("unsubscribe".utf8): (.unsubscribe, false),
    Array("psubscribe".utf8): (.subscribe, true), Array("punsubscribe".utf8): (.unsubscribe, true),
  ]

  static func confirmation(_ kind: [UInt8]) -> (ListeningSide.Requests.Kind, Bool)? { confirmations[kind] }
}
