//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

@testable import Broadcasting

/// A driver that does nothing by itself: each call waits until the test answers it.
final class ScriptedDriver: BroadcastDriver {
  enum Kind: Sendable {
    case run(DriverInbox)
    case subscribe(Channel)
    case open(Channel)
    case history(Channel, HistoryQuery)
    case catchUp(Channel)
    case unsubscribe(Channel)
    case patternSubscribe(ChannelPattern)
    case patternUnsubscribe(ChannelPattern)
    case publish([Message])
    case presence(PresenceChannel.Call, Channel)
  }

  /// What a call is answered with.
  fileprivate final class Page: Sendable {
    private let value = Lock<HistoryPage?>(nil)
    let presence = Lock<PresenceBroker.Answer?>(nil)

    func set(_ page: HistoryPage) { value.withLock { $0 = page } }
    func get() -> HistoryPage? { value.withLock { $0 } }
  }

  /// A call that waits for its answer.
  struct Call: Sendable {
    var kind: Kind
    fileprivate var answer = Latch()
    fileprivate let page = Page()

    func succeed() { answer.succeed() }

    /// Answers `open` with where the channel stands, or with nothing where it has no history.
    func succeed(at head: MessagePosition?) {
      if let head { page.set(HistoryPage(head: head)) }
      answer.succeed()
    }

    /// Answers a question for the history.
    func succeed(with page: HistoryPage) {
      self.page.set(page)
      answer.succeed()
    }

    /// Answers a question about presence.
    func succeed(with presence: PresenceBroker.Answer) {
      page.presence.withLock { $0 = presence }
      answer.succeed()
    }

    func fail(_ error: BroadcastError) { answer.fail(error) }

    var name: String {
      switch kind {
      case .run: "run"
      case .subscribe(let channel): "subscribe \(channel)"
      case .open(let channel): "open \(channel)"
      case .history(let channel, let query): "read \(channel) \(query.start.text)"
      case .catchUp(let channel): "catch up \(channel)"
      case .unsubscribe(let channel): "unsubscribe \(channel)"
      case .patternSubscribe(let pattern): "psubscribe \(pattern)"
      case .patternUnsubscribe(let pattern): "punsubscribe \(pattern)"
      case .presence(let call, let channel): "\(channel) \(call.text)"
      case .publish(let messages): "publish \(messages.compactMap(\.text).joined(separator: ","))"
      }
    }
  }

  let capabilities: Capabilities
  let maximumCallsAtOnce: Int
  private let calls = Mailbox<Call>()

  init(capabilities: Capabilities = .init(), callsAtOnce: Int = 256) {
    self.capabilities = capabilities
    maximumCallsAtOnce = callsAtOnce
  }

  @discardableResult
  private func ask(_ kind: Kind) async throws(BroadcastError) -> HistoryPage? {
    let call = Call(kind: kind)
    calls.append([call])
    try await call.answer.wait()
    return call.page.get()
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) { try await ask(.run(inbox)) }
  func subscribe(to channel: Channel) async throws(BroadcastError) { try await ask(.subscribe(channel)) }
  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? { try await ask(.open(channel))?.head }

  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    try await ask(.history(channel, query)) ?? HistoryPage(head: .beginning)
  }

  func catchUp(with channel: Channel) async throws(BroadcastError) { try await ask(.catchUp(channel)) }
  func unsubscribe(from channel: Channel) async throws(BroadcastError) { try await ask(.unsubscribe(channel)) }

  func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) { try await ask(.patternSubscribe(pattern)) }

  func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) {
    try await ask(.patternUnsubscribe(pattern))
  }

  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt] {
    try await ask(.publish(messages))
    return messages.map { _ in Receipt(position: .init(epoch: 1, offset: 2)) }
  }

  func askPresence(
    _ question: PresenceChannel.Call, of channel: Channel
  ) async throws(BroadcastError) -> PresenceBroker.Answer? {
    let call = Call(kind: .presence(question, channel))
    calls.append([call])
    try await call.answer.wait()
    return call.page.presence.withLock { $0 }
  }

  /// The test's side. One task uses it.
  struct Script {
    let driver: ScriptedDriver
    private var pending: [Call] = []

    init(_ driver: ScriptedDriver) { self.driver = driver }

    /// Whether another call is known to wait for its answer.
    var hasNext: Bool { !pending.isEmpty }

    /// Waits for the next call.
    mutating func next() async throws -> Call {
      if pending.isEmpty { pending = await driver.calls.next() ?? [] }
      guard !pending.isEmpty else { throw CancellationError() }
      return pending.removeFirst()
    }

    /// Waits for a session and connects it.
    mutating func connect() async throws -> (call: Call, inbox: DriverInbox) {
      let call = try await next()
      guard case .run(let inbox) = call.kind else { throw Unexpected(call: call.name) }
      inbox.connected()
      return (call, inbox)
    }
  }

  struct Unexpected: Error {
    var call: String
  }
}

/// Runs a hub on a scripted driver for the time of a test.
func withScript(
  _ configuration: HubConfiguration = .quick(), capabilities: Capabilities = .init(), callsAtOnce: Int = 256,
  _ body: (Hub, inout ScriptedDriver.Script) async throws -> Void
) async throws {
  let driver = ScriptedDriver(capabilities: capabilities, callsAtOnce: callsAtOnce)
  var script = ScriptedDriver.Script(driver)
  try await withBroadcast(Hub(driver: driver, configuration: configuration)) { hub in try await body(hub, &script) }
}

extension SubscriptionStart {
  /// As a test names it.
  var text: String {
    switch value {
    case .live: "live"
    case .last(let count): "last \(count)"
    case .after(let position): "after \(position)"
    }
  }
}

extension HubConfiguration {
  /// Pauses too short to notice.
  static func quick(onEvent: (@Sendable (BroadcastEvent) -> Void)? = nil) -> HubConfiguration {
    var configuration = HubConfiguration(onEvent: onEvent)
    configuration.shortestReconnectDelay = .microseconds(100)
    configuration.longestReconnectDelay = .milliseconds(1)
    // Never the reason for an end: a machine that is busy enough makes any time too short.
    configuration.startPatience = .seconds(3600)
    configuration.connectPatience = .seconds(3600)
    return configuration
  }
}
