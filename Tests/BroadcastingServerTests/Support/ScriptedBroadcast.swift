//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// A broker that does what a test says.
final class ScriptedDriver: BroadcastDriver {
  struct Script {
    var inbox: DriverInbox?
    /// Subscribing waits for this gate.
    var subscribing: [Channel: Gate] = [:]
    var refusedChannels: Set<Channel> = []
    var subscribed: [Channel] = []
    var publishError: BroadcastError?
    var publishing: Gate?
    var session: Gate?
    /// Whether nobody answers who connects.
    var isAway = false
  }

  let script = Lock(Script())
  let capabilities = Capabilities()

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    if script.withLock({ $0.isAway }) { throw BroadcastError(.unavailable, "Nobody is there.", isRetriable: true) }
    let session = Gate()
    script.withLock {
      $0.inbox = inbox
      $0.session = session
    }
    inbox.connected()
    await session.wait()
    if Task.isCancelled { return }
    throw BroadcastError(.unavailable, "The broker is gone.", isRetriable: true)
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) {
    if let gate = script.withLock({ $0.subscribing[channel] }) { await gate.wait() }
    try script.withLock { script throws(BroadcastError) in
      if script.refusedChannels.contains(channel) {
        throw BroadcastError(.unavailable, "The broker refuses \(channel).", isRetriable: true)
      }
      script.subscribed.append(channel)
    }
  }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    script.withLock { script in script.subscribed.removeAll { $0 == channel } }
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    if let gate = script.withLock({ $0.publishing }) { await gate.wait() }
    return try script.withLock { script throws(BroadcastError) in
      if let error = script.publishError { throw error }
      for message in messages { script.inbox?.received(message) }
      return messages.map { _ in Receipt() }
    }
  }

  /// The broker's connection breaks.
  func lose() { script.withLock { $0.session }?.open() }
}
