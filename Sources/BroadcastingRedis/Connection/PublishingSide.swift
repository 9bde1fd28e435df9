//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// The line that publishes: messages out, one answer for each, in their order.
final class PublishingSide: RedisLineOwner {
  /// What is sent here beside messages.
  private enum Other { case probe, role, script }

  private let line: RedisLine
  private let server: RedisURL
  private let asksRole: Bool
  private let fail: (BroadcastError) -> Void
  private let heard: () -> Void
  private var calls = PublishCalls()
  /// For channels with a history. Nil where there are none.
  private var recordCommand: RecordCommand?

  /// Commands that were sent, and answers that came.
  private var sent = 0
  private var answered = 0
  /// Which of the commands are no messages.
  private var others: [(number: Int, what: Other)] = []
  private var loadsScript = false
  /// Answers that `calls` has not been told of yet.
  private var accepted = 0

  /// - Parameters:
  ///   - asksRole: Whether to ask for the server's role with each probe.
  ///   - recordCommand: For channels with a history.
  ///   - heard: Called when the server has answered something.
  ///   - fail: Ends the session.
  init(
    _ line: RedisLine, _ server: RedisURL, asksRole: Bool, _ recordCommand: RecordCommand?,
    heard: @escaping () -> Void, fail: @escaping (BroadcastError) -> Void
  ) {
    self.line = line
    self.server = server
    self.asksRole = asksRole
    self.recordCommand = recordCommand
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
    willSend(.probe)
    line.publish(payload, to: channel)
    guard asksRole else { return }
    // A primary that becomes a replica closes no connection, and the probe arrives there as before.
    willSend(.role)
    line.send(Login.greeting)
  }

  private func willSend(_ other: Other) {
    others.append((sent, other))
    sent += 1
  }

  private func send() {
    calls.sendEach { message in
      if line.isFull { return false }
      let payload = Envelope.encode(message)
      let isRecorded = recordCommand != nil && record(payload, message.channel)
      if !isRecorded { line.publish(payload, to: message.channel) }
      sent += 1
      return true
    }
  }

  private func record(_ payload: [UInt8], _ channel: Channel) -> Bool {
    // In place: a copy would copy what it remembers.
    guard var command = recordCommand.take() else { return false }
    defer { recordCommand = command }
    return line.record(payload, to: channel, by: &command)
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
      let other = others.first?.number == answered ? others.removeFirst().what : nil
      answered += 1
      switch (other, kind) {
      case (.role, _):
        if !receivedRole(kind, replies) { return }
      case (.probe, .integer): break
      case (.probe, .error): return fail(RedisError.probing(Refusal(replies.text(at: 0)), at: server))
      case (.script, .text): loadsScript = false
      case (.script, .error): return fail(RedisError.asking(Refusal(replies.text(at: 0)), at: server))
      // How many got it, on this server alone: of no use where there are several.
      case (nil, .integer): accepted += 1
      case (nil, .text) where recordCommand != nil:
        guard let position = MessagePosition(replies.text(at: 0)) else {
          return fail(RedisError.unexpected(from: server))
        }
        countAccepted()
        calls.accepted(at: position)
      case (nil, .error): refused(Refusal(replies.text(at: 0)))
      default: return fail(RedisError.unexpected(from: server))
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

  private func refused(_ refusal: Refusal) {
    countAccepted()
    if refusal.meansMissingScript, recordCommand != nil {
      loadScript()
      return calls.refused(RedisError.scriptIsMissing(server))
    }
    let channel = calls.oldestChannel
    calls.refused(
      refusal.isUnkept
        ? RedisError.unkept(refusal, on: channel, at: server)
        : RedisError.publishing(refusal, to: channel, at: server))
  }

  /// The server has lost the script (SCRIPT FLUSH). What is sent from now on finds it again.
  private func loadScript() {
    if loadsScript { return }
    loadsScript = true
    willSend(.script)
    line.send(ServerScript.record.loadCommand)
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
