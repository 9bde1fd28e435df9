//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@testable import Broadcasting

extension Hub {
  /// A hub on memory where the channels `kept.*` have a history.
  static func keeping(
    _ policy: HistoryPolicy = .init(), bufferedBytes: Int = MemoryBudget.defaultLimit
  ) -> Hub {
    var configuration = HubConfiguration()
    configuration.history = [.init("kept.none", nil), .init("kept.*", policy)]
    configuration.maximumBufferedBytes = bufferedBytes
    return Hub(configuration: configuration)
  }

  /// Publishes messages with numbers for texts. Returns the position before the first.
  @discardableResult
  func publish(_ numbers: ClosedRange<Int>, to channel: Channel) async throws -> MessagePosition {
    let receipts = try await publish(numbers.map { Message("\($0)", to: channel) })
    let first = receipts.first?.position ?? .beginning
    return MessagePosition(epoch: first.epoch, offset: first.offset - min(1, first.offset))
  }
}

extension MessagePosition {
  static func + (position: MessagePosition, count: Int) -> MessagePosition {
    MessagePosition(epoch: position.epoch, offset: position.offset &+ UInt64(count))
  }
}

extension Subscription {
  /// All that is there already.
  func texts() throws -> [String] {
    try setWakeUp {}
    return takeBatch().deliveries.map { text($0) }
  }
}
