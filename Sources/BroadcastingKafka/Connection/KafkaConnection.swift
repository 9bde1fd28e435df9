//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// A broadcast's way to its cluster: one session after the other, on a loop.
actor KafkaConnection: BrokerConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let url: KafkaURL
  private let properties: KafkaProperties
  private let configuration: KafkaBroadcast.Configuration
  private let mailbox: PublishMailbox
  private var session: KafkaSession?

  init(
    _ url: KafkaURL, _ properties: KafkaProperties, _ configuration: KafkaBroadcast.Configuration,
    _ mailbox: PublishMailbox, on loop: EventLoop
  ) {
    self.url = url
    self.properties = properties
    self.configuration = configuration
    self.mailbox = mailbox
    self.loop = loop
  }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) {
    let session = KafkaSession(
      url, properties, configuration, on: loop, inbox, mailbox,
      KafkaSession.Calls(
        wake: { [weak self] in self?.tell { $0.takeCalls() } },
        hint: { [weak self] in self?.tell { $0.consumerHinted() } }))
    self.session = session
    let reason = await withTaskCancellationHandler {
      await session.run()
    } onCancel: {
      loop.execute { session.fail(.cancelled) }
    }
    self.session = nil
    throw reason
  }

  private nonisolated func tell(_ action: @escaping @Sendable (KafkaSession) -> Void) {
    loop.execute { self.assumeIsolated { connection in connection.session.map(action) } }
  }

  // MARK: The hub's calls

  func subscribe(to channel: Channel) async throws(BroadcastError) { try await ask(.subscribe, channel) }

  func catchUp(with channel: Channel) async throws(BroadcastError) { try await ask(.catchUp, channel) }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) { try await ask(.unsubscribe, channel) }

  private func ask(_ kind: ListeningSide.Kind, _ channel: Channel) async throws(BroadcastError) {
    guard let session else { throw .notConnected }
    do throws(BroadcastError) {
      try await session.ask(kind, channel)
    } catch {
      // Where the session fails, and not this call alone, the hub tells all channels of it and then cancels its calls.
      if session.failure != nil { await untilCancelled() }
      throw error
    }
  }
}
