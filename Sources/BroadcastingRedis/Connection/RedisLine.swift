//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// Whom a line serves. Its calls come on the loop, and never from within a call of the line's methods.
protocol RedisLineOwner: AnyObject {
  /// There may be replies. The owner takes them until there are none, or until it closes the line.
  func received(_ replies: ReplyReader) throws(ReplyReader.Violation)

  /// All that a look at the socket brought has been told.
  func receivedAll()

  /// What was waiting has gone out.
  func drained()

  func violated(_ violation: ReplyReader.Violation)

  /// The server has closed the line, or it broke.
  func lost(_ error: NetworkError?)
}

/// One connection to the server: commands out, replies in.
///
/// Commands are gathered and go out together at the end of the loop's turn.
final class RedisLine: StreamDelegate {
  /// So much goes out at once, before the turn's end too: the server has something to do meanwhile, and the memory stays in the
  /// processor's cache.
  private static let portion = 65_536
  /// When more than this waits, the owner has to wait.
  private static let maximumPending = 1_024 * 1_024

  /// Retained until the line is closed, which breaks the circle of line and owner.
  var owner: (any RedisLineOwner)?
  private let stream: any ByteStream
  private let reader: ReplyReader
  private var output: [UInt8] = []
  private var publishCommand = PublishCommand()
  private var isFlushPlanned = false
  private(set) var isClosed = false
  /// Whether it should get nothing more for now. ``RedisLineOwner/drained()`` says when it should again.
  private(set) var isFull = false
  /// Bytes that came since they were last asked for.
  private var readBytes = 0

  /// - Parameters:
  ///   - limit: The most bytes of a string that comes.
  ///   - maximumPieces: The most pieces of a list that comes.
  init(_ stream: any ByteStream, limit: Int, maximumPieces: Int) throws(ReplyReader.Violation) {
    self.stream = stream
    do throws(ReplyReader.Violation) { reader = try ReplyReader(limit: limit, maximumPieces: maximumPieces) } catch {
      stream.close()
      throw error
    }
    stream.delegate = self
    stream.startReading()
  }

  func takeReadBytes() -> Int {
    defer { readBytes = 0 }
    return readBytes
  }

  // MARK: Commands

  func send(_ words: [String]) {
    RedisCommand.append(words, to: &output)
    flushAtTurnEnd()
  }

  func send(_ words: [[UInt8]]) {
    RedisCommand.append(words, to: &output)
    if output.count >= Self.portion { flush() } else { flushAtTurnEnd() }
  }

  func send(_ word: String, _ name: [UInt8]) {
    RedisCommand.append(word, name, to: &output)
    flushAtTurnEnd()
  }

  func publish(_ payload: [UInt8], to channel: Channel) {
    publishCommand.append(payload, to: channel, &output)
    if output.count >= Self.portion { flush() } else { flushAtTurnEnd() }
  }

  /// - Returns: Whether there is a history of that channel. Without one nothing is sent.
  func record(_ payload: [UInt8], to channel: Channel, by command: inout RecordCommand) -> Bool {
    guard command.append(payload, to: channel, &output) else { return false }
    if output.count >= Self.portion { flush() } else { flushAtTurnEnd() }
    return true
  }

  private func flushAtTurnEnd() {
    if isFlushPlanned { return }
    isFlushPlanned = true
    stream.loop.atTurnEnd { [self] in
      isFlushPlanned = false
      flush()
    }
  }

  private func flush() {
    if isClosed || output.isEmpty { return }
    if !stream.write(output) { isFull = stream.pendingBytes >= Self.maximumPending }
    // What one large message needed is not kept.
    output.removeAll(keepingCapacity: output.capacity <= 4 * Self.portion)
  }

  func close() {
    if isClosed { return }
    isClosed = true
    owner = nil
    output = []
    stream.close()
  }

  // MARK: What the stream says

  func received(_ bytes: UnsafeRawBufferPointer) {
    readBytes += bytes.count
    do throws(ReplyReader.Violation) {
      var rest = bytes[...]
      while !rest.isEmpty, !isClosed {
        let part = rest.prefix(ReplyReader.portion)
        rest = rest.dropFirst(part.count)
        try reader.feed(UnsafeRawBufferPointer(rebasing: part))
        try owner?.received(reader)
      }
      owner?.receivedAll()
    } catch {
      // What came before it counts.
      owner?.receivedAll()
      owner?.violated(error)
    }
  }

  func drained() {
    isFull = false
    owner?.drained()
  }

  func ended(_ error: NetworkError?) { owner?.lost(error) }

  /// By the owner, or with the loop.
  func closed() {
    if isClosed { return }
    isClosed = true
    owner?.lost(.loopEnded("the connection"))
  }
}
