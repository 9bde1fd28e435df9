//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// The line that subscribes: subscriptions out, their answers and all messages in.
final class ListeningSide: RedisLineOwner {
  typealias Caller = UnsafeContinuation<BroadcastError?, Never>
  typealias Requests = SubscriptionRequests<Waiter>

  enum Waiter {
    case caller(Caller)
    /// The next request, for the channel whose positions are announced, has the caller.
    case channel
  }

  struct Session {
    var inbox: DriverInbox
    var probeChannel: [UInt8]
    /// Called with the number of a probe that has arrived.
    var probeArrived: (UInt64) -> Void
    /// Called with what came on a channel of presence.
    var presenceArrived: (_ name: UnsafeRawBufferPointer, _ news: UnsafeRawBufferPointer) -> Void
    /// Called when anything has arrived, with whether there were messages of subscriptions.
    var heard: (_ delivered: Bool) -> Void
    /// Ends the session.
    var fail: (BroadcastError) -> Void
    /// Called with news of messages that are left out: few, however many those are.
    var leftOut: (BroadcastEvent) -> Void
    /// Of a payload.
    var maximumBytes: Int
  }

  let line: RedisLine
  let server: RedisURL
  let session: Session
  private let loop: EventLoop
  var requests = Requests()
  var announcements = Announcements()
  /// Why the announcements of the channel that comes next were refused.
  var refusedAnnouncements: Refusal?
  /// Nil where no channel has a history.
  let kept: KeptChannels?
  private var arrived = ArrivedMessages()
  private var pace: ReadingPace
  private var hasDelivered = false
  private var impossibleNames = LeftOutMessages()
  private var tooLong = LeftOutMessages()

  init(
    _ line: RedisLine, _ server: RedisURL, _ kept: KeptChannels?, _ session: Session, on loop: EventLoop
  ) {
    self.line = line
    self.server = server
    self.kept = kept
    self.session = session
    self.loop = loop
    pace = ReadingPace(now: loop.now)
    line.owner = self
  }

  // MARK: What the line says

  func received(_ replies: ReplyReader) throws(ReplyReader.Violation) {
    while let kind = try replies.next() {
      switch kind {
      case .list:
        if !receivedList(replies) { return session.fail(RedisError.unexpected(from: server)) }
      case .error:
        if !refused(Refusal(replies.text(at: 0))) { return }
      case .text, .integer, .nothing, .tooLong:
        return session.fail(RedisError.unexpected(from: server))
      }
    }
  }

  /// Returns false for what a server never sends to a subscriber.
  private func receivedList(_ list: ReplyReader) -> Bool {
    guard list.count >= 3, list.kind(at: 0) == .text else { return false }
    let word = list.bytes(at: 0)
    if word.spells("pmessage"), list.count == 4, case .tooLong(let count) = list.kind(at: 2) {
      leaveOut(nameOf: count, matching: list.bytes(at: 1))
      return true
    }
    guard list.kind(at: 1) == .text else { return false }
    if word.spells("message") {
      if case .tooLong(let count) = list.kind(at: 2) {
        leaveOut(count, on: list.bytes(at: 1), matching: nil)
        return true
      }
      guard list.kind(at: 2) == .text else { return false }
      received(list.bytes(at: 2), on: list.bytes(at: 1))
      return true
    }
    if word.spells("pmessage") {
      guard list.count == 4, list.kind(at: 2) == .text else { return false }
      if case .tooLong(let count) = list.kind(at: 3) {
        leaveOut(count, on: list.bytes(at: 2), matching: list.bytes(at: 1))
        return true
      }
      guard list.kind(at: 3) == .text else { return false }
      note(
        arrived.add(list.bytes(at: 3), on: list.bytes(at: 2), matching: list.bytes(at: 1)), nil, list.bytes(at: 2),
        list.bytes(at: 1))
      return true
    }
    let name = Array(list.bytes(at: 1))
    if word.spells("subscribe") { return confirmed(.subscribe, .init(name: name)) }
    if word.spells("unsubscribe") { return confirmed(.unsubscribe, .init(name: name)) }
    if word.spells("psubscribe") { return confirmed(.subscribe, .init(name: name, isPattern: true)) }
    if word.spells("punsubscribe") { return confirmed(.unsubscribe, .init(name: name, isPattern: true)) }
    return false
  }

  private func received(_ payload: UnsafeRawBufferPointer, on name: UnsafeRawBufferPointer) {
    var position: MessagePosition?
    if !announcements.isEmpty {
      if name.starts(with: Announcements.prefix.utf8) { return announcements.announced(payload, on: name) }
      position = announcements.takePosition(on: name, bytes: payload.count)
    }
    note(arrived.add(payload, on: name, at: position), payload, name, nil)
  }

  /// - Parameter probe: What it says if it is a probe.
  private func note(
    _ result: ArrivedMessages.Result, _ probe: UnsafeRawBufferPointer?, _ name: UnsafeRawBufferPointer,
    _ pattern: UnsafeRawBufferPointer?
  ) {
    switch result {
    case .added: hasDelivered = true
    case .addedAfter(let batch):
      hasDelivered = true
      hand(batch)
    case .probe:
      guard let probe else { return }
      if PresenceScripts.isTold(on: name) { return session.presenceArrived(name, probe) }
      guard name.isSame(as: session.probeChannel) else { return }
      if let number = UInt64(String(decoding: probe, as: UTF8.self)) { session.probeArrived(number) }
    case .impossibleName: leaveOut(nameOf: name.count, matching: pattern)
    }
  }

  /// A name was of so many bytes, and is none of a channel.
  private func leaveOut(nameOf bytes: Int, matching pattern: UnsafeRawBufferPointer?) {
    hasDelivered = true
    guard let count = impossibleNames.add() else { return }
    session.leftOut(
      BroadcastEvent(
        .dropped, pattern: pattern.map { Self.pattern($0) }, count: count, error: RedisError.impossibleName(bytes)))
  }

  /// A payload was too long.
  private func leaveOut(
    _ count: Int, on name: UnsafeRawBufferPointer, matching pattern: UnsafeRawBufferPointer?
  ) {
    // The channel of the probes is nobody's.
    if name.starts(with: Channel.reservedPrefix.utf8) { return }
    hasDelivered = true
    // It came after what has been gathered.
    if let batch = arrived.takeAll() { hand(batch) }
    let channel = Channel(String(decoding: name, as: UTF8.self))
    let pattern = pattern.map { Self.pattern($0) }
    if let pattern {
      session.inbox.missed(1, matching: pattern)
    } else if let position = announcements.takePosition(on: name, bytes: count) {
      session.inbox.missed(on: channel, at: position)
    } else {
      session.inbox.missed(1, on: channel)
    }
    guard let total = tooLong.add() else { return }
    session.leftOut(
      BroadcastEvent(
        .dropped, channel: channel, pattern: pattern, count: total,
        error: RedisError.tooLong(count, limit: session.maximumBytes)))
  }

  private static func pattern(_ bytes: UnsafeRawBufferPointer) -> ChannelPattern {
    ChannelPattern(String(decoding: bytes, as: UTF8.self))
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
    session.heard(hasDelivered)
    hasDelivered = false
  }

  func drained() {}

  func violated(_ violation: ReplyReader.Violation) {
    session.fail(RedisError.notRedis(violation, server, isNew: false))
  }

  func lost(_ error: NetworkError?) {
    session.fail(RedisError.lost(server, error, wasBusy: pace.isBusy(now: loop.now)))
  }
}
