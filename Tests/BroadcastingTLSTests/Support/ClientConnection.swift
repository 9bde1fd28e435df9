//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

@testable import BroadcastingTLS

/// The end under test, as it is meant to be used: by an actor of its loop.
actor ClientConnection {
  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let inlet: Inlet
  private let stream: TLSStream

  init(_ stream: sending TLSStream, on loop: EventLoop) {
    self.loop = loop
    self.stream = stream
    inlet = Inlet(stream)
  }

  var version: String { stream.version }
  var negotiatedProtocol: String? { stream.negotiatedProtocol }
  var failure: NetworkError? { inlet.failure }
  var sawEnd: Bool { inlet.sawEnd }
  var isWritable: Bool { stream.isWritable }
  var pendingBytes: Int { stream.pendingBytes }
  var bytesTaken: UInt64 { stream.bytesTaken }
  var drains: Int { inlet.drains }
  /// Calls and bytes that the contract forbids.
  var offences: Int { inlet.callsFromWithin + inlet.uncalledFor }

  /// To see it go.
  var identity: WeakStream { WeakStream(stream) }

  func setHesitant() { inlet.isHesitant = true }

  func closeAtNextBytes() { inlet.closesAtNextBytes = true }

  /// Starts and stops so many times in one turn, and is reading at the end or not.
  func stopAndStart(_ times: Int) {
    for _ in 0..<times {
      inlet.stopReading()
      inlet.startReading()
    }
    if times.isMultiple(of: 2) { inlet.stopReading() }
  }

  /// At most `count` bytes, fewer at the end.
  func receive(_ count: Int) async -> [UInt8] {
    while inlet.bytes.count < count, !inlet.isOver {
      inlet.startReading()
      await inlet.wait()
    }
    return inlet.take(count)
  }

  /// All until the end.
  func rest() async -> [UInt8] { await receive(.max) }

  @discardableResult
  func push(_ bytes: [UInt8]) -> Bool { inlet.call { stream.write(bytes) } }

  @discardableResult
  func push(_ segments: [[UInt8]]) -> Bool { inlet.call { stream.write(segments[...]) } }

  func write(_ bytes: [UInt8]) async {
    if push(bytes) { return }
    let before = inlet.drains
    while inlet.drains == before, !inlet.isOver { await inlet.wait() }
  }

  func finish() { inlet.call { stream.finish() } }
  func reset() { inlet.call { stream.reset() } }

  /// Closes, and returns when that is done.
  func close() async {
    inlet.call { stream.close() }
    while !inlet.isClosed { await inlet.wait() }
  }
}

/// A stream that may have gone.
// Sendable: it is only ever asked whether it is there, which is safe from any thread.
final class WeakStream: @unchecked Sendable {
  private weak var stream: TLSStream?
  init(_ stream: TLSStream) { self.stream = stream }
  var isGone: Bool { stream == nil }
}
