//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Logs in on a new line.
final class LoginExchange: RedisLineOwner {
  private let line: RedisLine
  private let server: RedisURL
  private var login: Login
  private var result: Result<Void, BroadcastError>?
  private var waiter: UnsafeContinuation<Void, Never>?
  private var hasHeard = false

  init(on line: RedisLine, _ dialer: RedisDialer, for purpose: Login.Purpose) {
    self.line = line
    server = dialer.server
    login = Login(dialer.server, clientName: dialer.clientName, for: purpose)
  }

  /// Returns when the line is ready for use. After an error it is closed.
  func run(within time: Duration, on loop: EventLoop, _ timeout: Duration) async throws(BroadcastError) {
    let timer: LoopTimer
    do throws(NetworkError) { timer = try LoopTimer(on: loop) } catch {
      line.close()
      throw RedisError.connecting(error, to: server)
    }
    timer.start(after: time) { [self] in end(.failure(RedisError.loginTimedOut(server, after: timeout))) }
    line.owner = self
    for command in login.commands { line.send(command) }
    await withUnsafeContinuation { continuation in
      if result == nil { waiter = continuation } else { continuation.resume() }
    }
    timer.close()
    do throws(BroadcastError) { try result?.get() } catch {
      line.close()
      throw error
    }
  }

  /// Whether the server tells its role, and can be asked again.
  var knowsRole: Bool { login.knowsRole }
  /// Which run of the server this is, where that was asked.
  var run: String? { login.run }

  func fail(_ error: BroadcastError) { end(.failure(error)) }

  private func end(_ result: Result<Void, BroadcastError>) {
    if self.result != nil { return }
    self.result = result
    waiter.take()?.resume()
  }

  // MARK: What the line says

  func received(_ replies: ReplyReader) throws(ReplyReader.Violation) {
    while result == nil, let kind = try replies.next() {
      hasHeard = true
      do throws(BroadcastError) {
        try login.received(kind, (0..<replies.count).map { replies.text(at: $0) })
        if login.isDone { end(.success(())) }
      } catch {
        end(.failure(error))
      }
    }
  }

  func receivedAll() {}
  func drained() {}
  func violated(_ violation: ReplyReader.Violation) {
    end(.failure(RedisError.notRedis(violation, server, isNew: !hasHeard)))
  }
  func lost(_ error: NetworkError?) { end(.failure(RedisError.lost(server, error, isNew: !hasHeard))) }
}
