//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Questions, on a line of their own: opened at once where there are histories, and else by the first question, so that who
/// asks none needs neither the connection nor the rights.
extension RedisSession {
  enum Asking {
    case closed
    /// Who waits for it, and the result.
    case opening([UnsafeContinuation<BroadcastError?, Never>])
    case open(AskingSide)

    var side: AskingSide? { if case .open(let side) = self { side } else { nil } }
  }

  /// Asks a script in the server.
  ///
  /// - Parameter read: Gets the answer, which is no error, and whose pieces are gone when it returns. Nil where it is not one
  ///   that the script gives: then the session ends.
  func ask<Answer: Sendable>(
    _ call: ScriptCall, _ read: @escaping (ReplyReader) -> Answer?
  ) async throws(BroadcastError) -> Answer {
    let side = try await openAsking()
    let result: Result<Answer, BroadcastError> = await withUnsafeContinuation { continuation in
      if let failure { return continuation.resume(returning: .failure(failure)) }
      let deadline = loop.now + configuration.queryTimeout
      side.ask(call, deadline: deadline) { [self] result in
        switch result {
        case .failure(let error): continuation.resume(returning: .failure(error))
        case .success(let reply):
          if let answer = read(reply) { return continuation.resume(returning: .success(answer)) }
          let error = RedisError.unexpected(from: server)
          fail(error)
          continuation.resume(returning: .failure(error))
        }
      }
      lookAtClock(notAfter: deadline)
    }
    return try result.get()
  }

  /// Loads what histories need, and tries whether the server lets this program keep them.
  ///
  /// - Throws: What will not change by itself. A server that has no memory left, say, must not keep messages from other channels.
  func tryHistories(_ names: KeyNames) async throws(BroadcastError) {
    do throws(BroadcastError) {
      try await ask(KeptChannel.trial(names)) { $0.kind(at: 0) == .text ? () : nil }
    } catch {
      if failure == nil, error.isRetriable, asking.side?.digest(of: .record) != nil { return }
      throw RedisError.histories(error)
    }
  }

  /// One opening at a time: others wait for it.
  private func openAsking() async throws(BroadcastError) -> AskingSide {
    while true {
      if let failure { throw failure }
      switch asking {
      case .open(let side): return side
      case .closed: return try await openAskingLine()
      case .opening:
        let error: BroadcastError? = await withUnsafeContinuation { continuation in
          guard case .opening(let others) = asking else { return continuation.resume(returning: nil) }
          asking = .opening(others + [continuation])
        }
        // Another one's end is none of this one.
        if let error, error.code != .cancelled { throw error }
      }
    }
  }

  private func openAskingLine() async throws(BroadcastError) -> AskingSide {
    asking = .opening([])
    do throws(BroadcastError) {
      let (line, _) = try await openLine(
        for: kept == nil ? .scripts : .histories,
        maximumPieces: max(
          AskingSide.maximumPieces, PresenceScripts.pieces(of: configuration.hub.presence.maximumMembers)))
      if let failure {
        line.close()
        throw failure
      }
      let side = AskingSide(line, server, on: loop) { [weak self] in self?.fail($0) }
      endOpening(.open(side), nil)
      return side
    } catch {
      endOpening(.closed, error)
      throw error
    }
  }

  private func endOpening(_ next: Asking, _ error: BroadcastError?) {
    guard case .opening(let waiters) = asking else { return }
    asking = next
    for waiter in waiters { waiter.resume(returning: error) }
  }

  func closeAsking(because error: BroadcastError) {
    if case .open(let side) = asking { side.close(because: error) }
    endOpening(.closed, error)
    asking = .closed
  }
}
