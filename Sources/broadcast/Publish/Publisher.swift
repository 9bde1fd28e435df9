//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// Sends messages, each confirmed before the next one is read.
final class Publisher: Sendable {
  private let broadcast: any Broadcast
  private let channel: Channel
  /// Whether what may succeed later is tried until it does.
  private let retries: Bool
  /// The most bytes of a message.
  private let limit: Int
  /// Told of each failure that may be followed by another attempt.
  private let onRetry: @Sendable (BroadcastError) -> Void
  private let state = Lock(PublishProgress())

  init(
    _ broadcast: any Broadcast, to channel: Channel, retries: Bool, limit: Int,
    onRetry: @escaping @Sendable (BroadcastError) -> Void = { _ in }
  ) {
    self.broadcast = broadcast
    self.channel = channel
    self.retries = retries
    self.limit = limit
    self.onRetry = onRetry
  }

  var progress: PublishProgress { state.withLock { $0 } }

  /// Publishes what `read` gives, a message for each line, until it gives nothing.
  func publishLines(_ read: () async throws(StreamFailure) -> [UInt8]) async throws {
    var lines = LineSplitter(limit: limit)
    var isAtEnd = false
    while !isAtEnd {
      let chunk = try await input(read)
      isAtEnd = chunk.isEmpty
      lines.append(chunk)
      while let line = try nextLine(of: &lines, isAtEnd: isAtEnd) {
        guard let message = try? Message(utf8: line, to: channel) else {
          throw Failure("line \(lines.count) is not UTF-8; --binary sends any bytes", .inputFailed)
        }
        try await publish(message)
      }
    }
  }

  /// Publishes all that `read` gives until it gives nothing, as one binary message.
  func publishBytes(_ read: () async throws(StreamFailure) -> [UInt8]) async throws {
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let chunk = try await input(read)
      if chunk.isEmpty { return try await publish(Message(bytes, to: channel)) }
      bytes += chunk
    }
    throw Failure("standard input has more than \(limit) bytes, which is the limit of --max-message", .refused)
  }

  func publish(_ message: Message) async throws {
    var mayHaveArrived = false
    try await retrying(retries) { () async throws(BroadcastError) in
      state.withLock { $0.begin() }
      try await broadcast.publish(message)
    } onFailure: { error in
      mayHaveArrived = mayHaveArrived || error.outcome != .notSent
      if !mayHaveArrived { state.withLock { $0.takeBack() } }
      if error.isRetriable { onRetry(error) }
    }
    state.withLock { $0.confirm() }
  }

  private func input(_ read: () async throws(StreamFailure) -> [UInt8]) async throws -> [UInt8] {
    do throws(StreamFailure) {
      return try await read()
    } catch {
      throw Failure(error.message, .inputFailed)
    }
  }

  private func nextLine(of lines: inout LineSplitter, isAtEnd: Bool) throws(Failure) -> [UInt8]? {
    do throws(LineSplitter.TooLong) {
      return try lines.next(isAtEnd: isAtEnd)
    } catch {
      throw Failure(
        "line \(error.number) has more than \(limit) bytes, which is the limit of --max-message", .refused)
    }
  }
}
