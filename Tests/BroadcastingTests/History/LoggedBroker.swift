//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport

@testable import Broadcasting

/// A broker within this process that keeps the last messages of each channel, and whose lines can be cut.
actor LoggedBroker {
  private struct Log {
    var epoch: UInt64
    var offset: UInt64 = 0
    var kept: [Message] = []
    var head: MessagePosition { MessagePosition(epoch: epoch, offset: offset) }
  }

  private let maximumMessages: Int
  private var epoch: UInt64 = 1
  private var logs: [Channel: Log] = [:]
  private var members: [Channel: Set<Int>] = [:]
  private var clients: [Int: (inbox: DriverInbox, end: Latch)] = [:]
  private var lastClient = 0
  private(set) var questions = 0
  private(set) var largestPage: Int

  init(maximumMessages: Int = 100, largestPage: Int = 256) {
    self.maximumMessages = maximumMessages
    self.largestPage = largestPage
  }

  // MARK: Faults

  /// Ends all connections, and does what happens before anybody is back.
  func cut(_ meanwhile: @Sendable (isolated LoggedBroker) -> Void = { _ in }) {
    for (_, client) in clients { client.end.fail(BroadcastError(.unavailable, "Cut.", isRetriable: true)) }
    clients = [:]
    members = [:]
    meanwhile(self)
  }

  /// The same, and publishes before anybody can be back.
  func cut(publishing messages: [Message]) {
    cut()
    publish(messages)
  }

  /// Forgets all logs, or begins a new epoch in each.
  func restart(keepingData: Bool) {
    epoch += 10
    guard keepingData else {
      logs = [:]
      return
    }
    for channel in Array(logs.keys) {
      logs[channel]?.epoch = epoch
      logs[channel]?.offset = 0
    }
  }

  // MARK: Calls

  func connect(_ inbox: DriverInbox, _ end: Latch) -> Int {
    lastClient += 1
    clients[lastClient] = (inbox, end)
    return lastClient
  }

  func disconnect(_ client: Int) {
    clients[client] = nil
    for channel in members.keys { members[channel]?.remove(client) }
  }

  func subscribe(_ client: Int, to channel: Channel) throws(BroadcastError) {
    try check(client)
    members[channel, default: []].insert(client)
  }

  func unsubscribe(_ client: Int, from channel: Channel) { members[channel]?.remove(client) }

  func head(_ client: Int, of channel: Channel) throws(BroadcastError) -> MessagePosition {
    try check(client)
    return logs[channel]?.head ?? .beginning
  }

  @discardableResult
  func publish(_ message: Message) -> MessagePosition {
    var log = logs[message.channel] ?? Log(epoch: epoch)
    log.offset += 1
    let positioned = message.positioned(at: log.head)
    log.kept.append(positioned)
    if log.kept.count > maximumMessages { log.kept.removeFirst() }
    logs[message.channel] = log
    for client in members[message.channel] ?? [] {
      clients[client]?.inbox.received([positioned], on: message.channel)
    }
    return log.head
  }

  func publish(_ messages: [Message]) { for message in messages { publish(message) } }

  /// Publishes without a position, as a program does that knows of no history.
  func publishPlain(_ message: Message) {
    for client in members[message.channel] ?? [] { clients[client]?.inbox.received([message], on: message.channel) }
  }

  func page(_ client: Int, of channel: Channel, _ query: HistoryQuery) throws(BroadcastError) -> HistoryPage {
    try check(client)
    questions += 1
    guard let log = logs[channel] else { return HistoryPage(head: .beginning) }
    var rest = log.kept[...]
    switch query.start.value {
    case .live: rest = []
    case .last(let count): rest = rest.suffix(count)
    case .after(let position):
      let isKnown = !log.head.isBefore(position)
      rest = rest.drop { isKnown && !position.isBefore($0.position ?? position) }
    }
    let some = rest.prefix(min(query.maximumMessages, largestPage))
    return HistoryPage(head: log.head, messages: Array(some), reachesHead: some.count == rest.count)
  }

  private func check(_ client: Int) throws(BroadcastError) {
    if clients[client] == nil { throw BroadcastError(.unavailable, "Cut.", isRetriable: true, outcome: .notSent) }
  }
}

/// Connects a hub to a ``LoggedBroker``. Its lines are late by chance.
actor LoggedDriver: BroadcastDriver {
  nonisolated let capabilities = Capabilities(hasPositions: true, hasHistory: true)
  private let broker: LoggedBroker
  private var client = 0
  private var random: SeededGenerator

  init(_ broker: LoggedBroker, seed: UInt64 = 1) {
    self.broker = broker
    random = SeededGenerator(seed: seed)
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let end = Latch()
    client = await broker.connect(inbox, end)
    inbox.connected()
    try await end.wait()
  }

  private func wait() async {
    for _ in 0..<Int.random(in: 0..<20, using: &random) { await Task.yield() }
  }

  func subscribe(to channel: Channel) async throws(BroadcastError) { _ = try await open(channel) }

  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    let client = client
    try await broker.subscribe(client, to: channel)
    await wait()
    let head = try await broker.head(client, of: channel)
    await wait()
    return head
  }

  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    let client = client
    await wait()
    let page = try await broker.page(client, of: channel, query)
    await wait()
    return page
  }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) {
    await broker.unsubscribe(client, from: channel)
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    var receipts: [Receipt] = []
    for message in messages { receipts.append(Receipt(position: await broker.publish(message))) }
    return receipts
  }
}
