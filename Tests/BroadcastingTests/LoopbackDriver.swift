//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A broker within this process: it knows who is connected, and who wants which channel.
actor LoopbackBroker {
  private var inboxes: [Int: DriverInbox] = [:]
  private var members: [Channel: Set<Int>] = [:]
  private var lastClient = 0

  func connect(_ inbox: DriverInbox) -> Int {
    lastClient += 1
    inboxes[lastClient] = inbox
    return lastClient
  }

  func disconnect(_ client: Int) {
    inboxes[client] = nil
    for channel in members.keys { members[channel]?.remove(client) }
  }

  func subscribe(_ client: Int, to channel: Channel) { members[channel, default: []].insert(client) }

  func unsubscribe(_ client: Int, from channel: Channel) { members[channel]?.remove(client) }

  func publish(_ bytes: [UInt8], to channel: Channel) {
    for client in members[channel] ?? [] { inboxes[client]?.received(bytes, on: channel) }
  }
}

/// Connects a hub to a ``LoopbackBroker``.
actor LoopbackDriver: BroadcastDriver {
  nonisolated let capabilities = Capabilities(maximumPayloadBytes: 1_000_000)
  private let broker: LoopbackBroker
  private var client: Int?

  init(broker: LoopbackBroker) { self.broker = broker }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let client = await broker.connect(inbox)
    self.client = client
    inbox.connected()
    // A connection would be read here, until it breaks. This one lasts until the task is cancelled.
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    self.client = nil
    await broker.disconnect(client)
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) {
    await broker.subscribe(try connected(), to: channel)
  }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    await broker.unsubscribe(try connected(), from: channel)
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    _ = try connected()
    for message in messages { await broker.publish(Envelope.encode(message), to: message.channel) }
    return messages.map { _ in Receipt() }
  }

  private func connected() throws(BroadcastError) -> Int {
    guard let client else {
      throw BroadcastError(.unavailable, "The broker is not connected.", isRetriable: true, outcome: .notSent)
    }
    return client
  }
}

extension BroadcastBackend {
  /// `loopback://`: all who use the same broker reach each other.
  static func loopback(_ broker: LoopbackBroker) -> BroadcastBackend {
    BroadcastBackend(schemes: ["loopback"]) { _ in Hub(driver: LoopbackDriver(broker: broker)) }
  }
}
