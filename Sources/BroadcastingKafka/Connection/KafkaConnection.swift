//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// A broadcast's way to its cluster: one session after the other, on a loop.
actor KafkaConnection: BrokerConnection {
  private let url: KafkaURL
  private let configuration: KafkaBroadcast.Configuration
  private let mailbox: PublishMailbox
  nonisolated let loop: EventLoop

  init(
    _ url: KafkaURL, _ configuration: KafkaBroadcast.Configuration, _ mailbox: PublishMailbox, on loop: EventLoop
  ) {
    self.url = url
    self.configuration = configuration
    self.mailbox = mailbox
    self.loop = loop
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  func run(_ inbox: DriverInbox) async throws(BroadcastError) { throw .notConnected }

  func subscribe(to channel: Channel) async throws(BroadcastError) { throw .notConnected }

  func unsubscribe(from channel: Channel) async throws(BroadcastError) { throw .notConnected }
}
