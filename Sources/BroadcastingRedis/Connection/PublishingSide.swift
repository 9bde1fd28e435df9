//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The line that publishes: messages out, one answer for each, in their order.
final class PublishingSide: RedisLineOwner {
  private let line: RedisLine
  private let server: RedisURL
  private let asksRole: Bool
  private let fail: (BroadcastError) -> Void
  private let heard: () -> Void
  private var calls = PublishCalls()

  /// Commands that were sent, and answers that came.
  private var sent = 0
  private var answered = 0
  /// Which of the commands are probes.
  private var probes: [Int] = []
  /// And which ask for the server's role.
  private var roleQuestions: [Int] = []
  /// Answers that `calls` has not been told of yet.
  private var accepted = 0

  /// - Parameters:
  ///   - asksRole: Whether to ask for the server's role with each probe.
  ///   - heard: Called when the server has answered something.
  ///   - fail: Ends the session.
  init(
    _ line: RedisLine, _ server: RedisURL, asksRole: Bool, heard: @escaping () -> Void,
    fail: @escaping (BroadcastError) -> Void
  ) {
    self.line = line
    self.server = server
    self.asksRole = asksRole
    self.heard = heard
    self.fail = fail
    line.owner = self
  }

  var nextDeadline: LoopInstant? { calls.nextDeadline }

  func publish(_ new: [PublishCall], deadline: LoopInstant) {
    calls.append(new, deadline: deadline)
    send()
  }

  func probe(_ payload: [UInt8], on channel: Channel) {
    probes.append(sent)
    sent += 1
    line.publish(payload, to: channel)
    guard asksRole else { return }
    // A primary that becomes a replica closes no connection, and the probe arrives there as before.
    roleQuestions.append(sent)
    sent += 1
    line.send(Login.greeting)
  }

  private func send() {
    calls.sendEach { message in
      if line.isFull { return false }
      line.publish(Envelope.encode(message), to: message.channel)
      sent += 1
      return true
    }
  }

  func expire(now: LoopInstant, after timeout: Duration) {
    calls.expire(now: now, because: RedisError.publishingTimedOut(server, after: timeout))
  }

  /// Ends all calls.
  func close(because error: BroadcastError) {
    line.close()
    calls.fail(because: error)
  }

  // MARK: What the line says

  func received(_ replies: ReplyReader) throws(ReplyReader.Violation) {
    while let kind = try replies.next() {
      guard answered < sent else {
        // An error that nobody asked for says why the connection ends.
        return fail(
          kind == .error
            ? RedisError.refused(Refusal(replies.text(at: 0)), by: server) : RedisError.unexpected(from: server))
      }
      if roleQuestions.first == answered {
        roleQuestions.removeFirst()
        answered += 1
        if !receivedRole(kind, replies) { return }
        continue
      }
      let isProbe = probes.first == answered
      answered += 1
      if isProbe { probes.removeFirst() }
      switch kind {
      case .integer:
        // How many got it, on this server alone: of no use where there are several.
        if !isProbe { accepted += 1 }
      case .error:
        refused(Refusal(replies.text(at: 0)), isProbe: isProbe)
      case .text, .nothing, .list, .tooLong:
        return fail(RedisError.unexpected(from: server))
      }
    }
  }

  /// Returns false where the session is over.
  private func receivedRole(_ kind: ReplyReader.Kind, _ replies: ReplyReader) -> Bool {
    do throws(BroadcastError) {
      let facts = (0..<replies.count).map { replies.text(at: $0) }
      guard kind == .error else {
        try Login.check(facts, of: server)
        return true
      }
      let refusal = Refusal(facts.first ?? "")
      if refusal.concernsConnection { throw RedisError.refused(refusal, by: server) }
      return true
    } catch {
      fail(error)
      return false
    }
  }

  private func refused(_ refusal: Refusal, isProbe: Bool) {
    if isProbe { return fail(RedisError.probing(refusal, at: server)) }
    countAccepted()
    calls.refused(RedisError.publishing(refusal, to: calls.oldestChannel, at: server))
  }

  func receivedAll() {
    countAccepted()
    heard()
  }

  private func countAccepted() {
    if accepted > 0 { calls.accepted(accepted) }
    accepted = 0
  }

  func drained() { send() }

  func violated(_ violation: ReplyReader.Violation) { fail(RedisError.notRedis(violation, server, isNew: false)) }

  func lost(_ error: NetworkError?) { fail(RedisError.lost(server, error)) }
}
