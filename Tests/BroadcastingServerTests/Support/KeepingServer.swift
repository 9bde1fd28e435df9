//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingServer
import TestSupport

/// Runs a server whose channels `kept.*` keep their last messages in memory.
func withKeepingServer(
  messages: Int = 100, loops: Int = 1,
  configure: (inout BroadcastServer.Configuration) -> Void = { _ in },
  routes: (inout Routes) -> Void = { _ in }, _ body: @Sendable (RunningServer) async throws -> Void
) async throws {
  var configuration = HubConfiguration()
  configuration.history = [.init(ChannelPattern("kept.*"), HistoryPolicy(maximumMessages: messages))]
  try await withBroadcast(MemoryBroadcast(configuration: configuration)) { broadcast in
    try await withServer(loops: loops, over: broadcast, configure: configure, routes: routes, body)
  }
}

extension RunningServer {
  /// Publishes numbers, each as a message.
  @discardableResult
  func publish(_ numbers: Range<Int>, to channel: Channel) async throws -> [MessagePosition] {
    try await broadcast.publish(numbers.map { Message("\($0)", to: channel) }).compactMap(\.position)
  }
}

extension TestClient {
  /// The next messages as texts.
  func texts(_ count: Int) async -> [String] {
    var texts: [String] = []
    while texts.count < count, let text = await receiveText() { texts.append(text) }
    return texts
  }
}
