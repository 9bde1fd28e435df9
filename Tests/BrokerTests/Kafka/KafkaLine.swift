//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

/// A subscriber on a line that a test cuts, and Kafka behind it, which changes meanwhile.
struct KafkaLine {
  let kafka: KafkaServer
  let proxy: FaultyProxy
  let events: Events
  let broadcast: any Broadcast

  /// Runs `body` with it.
  ///
  /// - Parameters:
  ///   - server: Nil: the one of all tests.
  ///   - topic: The one for all channels; nil: each is a topic.
  static func with(
    _ server: KafkaServer? = nil, topic: String? = nil, _ body: (KafkaLine) async throws -> Void
  ) async throws {
    let kafka: KafkaServer
    if let server { kafka = server } else { kafka = try await KafkaServer.shared }
    try await kafka.withProxy { proxy in
      let events = Events()
      let broadcast = try Broker.kafka.open(kafka.url(port: proxy.port, topic.map { "topic=\($0)" } ?? ""), events)
      try await withBroadcast(broadcast) { broadcast in
        try await body(KafkaLine(kafka, proxy, events, broadcast))
      }
    }
  }

  private init(_ kafka: KafkaServer, _ proxy: FaultyProxy, _ events: Events, _ broadcast: any Broadcast) {
    self.kafka = kafka
    self.proxy = proxy
    self.events = events
    self.broadcast = broadcast
  }

  /// Does something while the line is cut, and returns when it is whole again.
  func whileCut(_ body: () async throws -> Void) async throws {
    await proxy.refuse()
    await proxy.cut()
    try await wait(for: "the loss") { !broadcast.statistics.isAvailable }
    try await body()
    try await proxy.listenAgain()
    try await wait(for: "coming back") { broadcast.statistics.isAvailable }
  }

  /// Publishes as soon as that can be done: a topic may be in the making.
  func publish(_ text: String, to channel: Channel) async throws {
    try await wait(for: "being published") {
      do {
        try await broadcast.publish(text, to: channel)
        return true
      } catch let error as BroadcastError where error.isRetriable {
        return false
      }
    }
  }
}

extension Subscription.AsyncIterator {
  /// The texts up to one, in their order, with a `gap` where one was told.
  mutating func texts(upTo last: String) async throws -> [String] {
    var texts: [String] = []
    while texts.last != last, let delivery = try await next() {
      switch delivery {
      case .message(let message): texts.append(message.text ?? "binary")
      case .gap(let gap): texts.append(gap.missed.map { "gap \($0)" } ?? "gap")
      }
    }
    return texts
  }
}
