//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// A broker within the process that keeps the last messages of each channel.
actor KeepingBroker {
  private struct Log {
    var offset: UInt64 = 0
    var messages: [Message] = []
  }

  // Another run is another log: nobody's position in the one before says anything here.
  private let epoch = UInt64.random(in: 1..<1 << 53)
  private let maximumMessages: Int
  private var logs: [Channel: Log] = [:]
  private var inboxes: [Int: DriverInbox] = [:]
  private var members: [Channel: Set<Int>] = [:]
  private var lastClient = 0

  init(maximumMessages: Int) { self.maximumMessages = maximumMessages }

  func connect(_ inbox: DriverInbox) -> Int {
    lastClient += 1
    inboxes[lastClient] = inbox
    return lastClient
  }

  func disconnect(_ client: Int) {
    inboxes[client] = nil
    for channel in members.keys { members[channel]?.remove(client) }
  }

  func unsubscribe(_ client: Int, from channel: Channel) { members[channel]?.remove(client) }

  // In one step: what lies behind the head arrives.
  func subscribe(_ client: Int, to channel: Channel) -> MessagePosition {
    members[channel, default: []].insert(client)
    return head(of: channel)
  }

  func head(of channel: Channel) -> MessagePosition {
    guard let log = logs[channel] else { return .beginning }
    return MessagePosition(epoch: epoch, offset: log.offset)
  }

  // In one step too: a message is delivered and kept, or neither.
  func publish(_ bytes: [UInt8], to channel: Channel) -> MessagePosition {
    logs[channel, default: Log()].offset += 1
    let position = head(of: channel)
    let message = Envelope.decode(bytes, channel: channel, position: position)
    logs[channel]?.messages.append(message)
    if position.offset > maximumMessages { logs[channel]?.messages.removeFirst() }
    for client in members[channel] ?? [] { inboxes[client]?.received(message) }
    return position
  }

  func history(of channel: Channel, _ query: HistoryQuery) -> HistoryPage {
    let head = head(of: channel)
    var rest = logs[channel]?.messages[...] ?? []
    if let count = query.start.count {
      rest = rest.suffix(count)
    } else if let position = query.start.position {
      // Of a position that this log does not know, all there is: the hub sees what is missing.
      let isKnown = position.epoch == epoch && position.offset <= head.offset
      if isKnown { rest = rest.suffix(Int(head.offset - position.offset)) }
    } else {
      rest = []
    }
    var page: [Message] = []
    var bytes = 0
    for message in rest.prefix(query.maximumMessages) {
      bytes += message.payload.count
      if bytes > query.maximumBytes, !page.isEmpty { break }
      page.append(message)
    }
    return HistoryPage(head: head, messages: page, reachesHead: page.count == rest.count)
  }
}

actor KeepingDriver: BroadcastDriver {
  nonisolated let capabilities = Capabilities(maximumPayloadBytes: 1_000_000, hasPositions: true, hasHistory: true)
  private let broker: KeepingBroker
  private var client: Int?

  init(broker: KeepingBroker) { self.broker = broker }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let client = await broker.connect(inbox)
    self.client = client
    inbox.connected()
    // As in the first example: it lasts until the task is cancelled, which is all that ends this sleep.
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    self.client = nil
    await broker.disconnect(client)
  }

  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    await broker.subscribe(try connected(), to: channel)
  }

  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    _ = try connected()
    return await broker.history(of: channel, query)
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) { _ = try await open(channel) }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    await broker.unsubscribe(try connected(), from: channel)
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    _ = try connected()
    var receipts: [Receipt] = []
    for message in messages {
      let position = await broker.publish(Envelope.encode(message), to: message.channel)
      receipts.append(Receipt(position: position))
    }
    return receipts
  }

  private func connected() throws(BroadcastError) -> Int {
    guard let client else {
      throw BroadcastError(.unavailable, "The broker is not connected.", isRetriable: true, outcome: .notSent)
    }
    return client
  }
}
