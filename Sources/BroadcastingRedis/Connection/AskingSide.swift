//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// The line for questions: calls of scripts out, their answers in. Pages of histories on it hold up neither messages nor
/// probes.
final class AskingSide: RedisLineOwner {
  /// Called on the loop with the reader at the answer, of any kind but `error`: its pieces are gone when the call returns.
  typealias Waiter = (Result<ReplyReader, BroadcastError>) -> Void

  /// The most messages of one page.
  static let maximumPageMessages = 256
  /// Of the answers that come here: a page has two pieces, and three for each message.
  static let maximumPieces = 2 + 3 * maximumPageMessages

  private let line: RedisLine
  private let server: RedisURL
  private let loop: EventLoop
  private let fail: (BroadcastError) -> Void
  private var questions = Questions<Waiter>()
  private var lastHeard: LoopInstant

  /// - Parameter fail: Ends the session.
  init(_ line: RedisLine, _ server: RedisURL, on loop: EventLoop, fail: @escaping (BroadcastError) -> Void) {
    self.line = line
    self.server = server
    self.loop = loop
    self.fail = fail
    lastHeard = loop.now
    line.owner = self
  }

  var nextDeadline: LoopInstant? { questions.nextDeadline }

  /// The digest of a script that was called here.
  func digest(of script: ServerScript) -> [UInt8]? { questions.digest(of: script) }

  func ask(_ call: ScriptCall, deadline: LoopInstant, _ waiter: @escaping Waiter) {
    questions.add(call, deadline: deadline, waiter)
    send()
  }

  /// Keeps an idle line from being taken for one that nobody needs, and finds one that is dead without a word.
  func keepAlive(deadline: LoopInstant) {
    questions.add(nil, deadline: deadline) { _ in }
    send()
  }

  private func send() {
    while !line.isFull, let command = questions.next() { line.send(command) }
  }

  /// Where nothing at all came while questions waited, the line is dead, and the session with it.
  func expire(now: LoopInstant, after timeout: Duration) {
    let late = questions.expire(now: now)
    if late.isEmpty { return }
    let error = RedisError.askingTimedOut(server, after: timeout)
    for waiter in late { waiter(.failure(error)) }
    if now - lastHeard >= timeout { fail(error) } else { send() }
  }

  func close(because error: BroadcastError) {
    line.close()
    failQuestions(because: error)
  }

  func failQuestions(because error: BroadcastError) {
    for waiter in questions.removeAll() { waiter(.failure(error)) }
  }

  // MARK: What the line says

  func received(_ replies: ReplyReader) throws(ReplyReader.Violation) {
    while let kind = try replies.next() {
      if kind == .error {
        if !refused(Refusal(replies.text(at: 0))) { return }
        continue
      }
      switch questions.answered(text: kind == .text ? Array(replies.bytes(at: 0)) : nil) {
      case .call(let waiter): waiter?(.success(replies))
      case .script, .failedScript: break
      case .unexpected: return fail(RedisError.unexpected(from: server))
      }
    }
  }

  /// Returns false where the session is over.
  private func refused(_ refusal: Refusal) -> Bool {
    switch questions.refused(isMissing: refusal.meansMissingScript) {
    case .call(let waiter): waiter?(.failure(RedisError.asking(refusal, at: server)))
    case .failedScript(let waiters):
      for waiter in waiters { waiter(.failure(RedisError.asking(refusal, at: server))) }
    case .script: break
    case .unexpected:
      fail(RedisError.refused(refusal, by: server))
      return false
    }
    return true
  }

  func receivedAll() {
    lastHeard = loop.now
    send()
  }

  func drained() { send() }

  func violated(_ violation: ReplyReader.Violation) { fail(RedisError.notRedis(violation, server, isNew: false)) }

  func lost(_ error: NetworkError?) { fail(RedisError.lost(server, error)) }
}
