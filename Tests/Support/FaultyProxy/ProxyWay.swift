//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// One direction of a connection through the proxy.
final class ProxyWay: StreamDelegate {
  private enum Item { case bytes([UInt8]), end }

  /// How long something takes.
  var latency = Duration.zero
  /// Whether nothing is taken from the source.
  var isStalled = false {
    didSet { if isStalled { source.stopReading() } else { goOn() } }
  }
  /// How many bytes may still pass, then the connection is cut. Nil is any number.
  var left: Int?
  private let source: SocketStream
  private let target: SocketStream?
  private let isAnswer: Bool
  // The streams and the link hold the ways, and these the link: all go when both streams have closed.
  private let link: ProxyLink
  private var underWay: [(due: LoopInstant, item: Item)] = []
  private var bytesUnderWay = 0
  private var timer: LoopTimer?

  /// On the way. Beyond that the source is not read from.
  private static let limit = 4 * 1_024 * 1_024

  init(from source: SocketStream, to target: SocketStream?, of link: ProxyLink, isAnswer: Bool) {
    self.source = source
    self.target = target
    self.link = link
    self.isAnswer = isAnswer
  }

  func close() {
    timer.take()?.close()
    underWay = []
    bytesUnderWay = 0
  }

  // MARK: What comes

  func received(_ bytes: UnsafeRawBufferPointer) {
    let bytes = Array(bytes)
    guard link.passes(bytes, isAnswer: isAnswer) else { return }
    switch (link.mode, isAnswer) {
    case (.cutBeforeAnswer, true):
      link.cut()
    case (.cutInAnswer, true):
      send(.bytes(Array(bytes.prefix(20))))
      send(.end)
    case (.silentBehindAnswer(let words), true):
      send(.bytes(bytes))
      if link.clientSaid(words) { link.set(.silent) }
    default:
      send(.bytes(bytes))
    }
  }

  func ended(_ error: NetworkError?) {
    guard link.passes(nil, isAnswer: isAnswer) else { return }
    if error != nil { link.cut() } else { send(.end) }
  }

  func closed() {
    close()
    link.forget(self)
    if link.passes(nil, isAnswer: isAnswer) { target?.close() }
  }

  func drained() { link.drained(behind: self) }

  // MARK: What goes

  private func send(_ item: Item) {
    guard latency > .zero || !underWay.isEmpty else { return pass(item) }
    underWay.append((source.loop.now + latency, item))
    if case .bytes(let bytes) = item { bytesUnderWay += bytes.count }
    holdBack()
    if underWay.count == 1 { wait(for: underWay[0].due) }
  }

  private func wait(for due: LoopInstant) {
    do {
      let timer = try timer ?? LoopTimer(on: source.loop)
      self.timer = timer
      timer.start(after: max(.zero, due - source.loop.now)) { self.passWhatIsDue() }
    } catch {
      // The loop ends, and all of this with it.
    }
  }

  private func passWhatIsDue() {
    let now = source.loop.now
    while let first = underWay.first, first.due <= now {
      underWay.removeFirst()
      if case .bytes(let bytes) = first.item { bytesUnderWay -= bytes.count }
      pass(first.item)
    }
    if let first = underWay.first { wait(for: first.due) }
    goOn()
  }

  private func pass(_ item: Item) {
    switch item {
    case .end:
      target?.finish()
    case .bytes(let bytes):
      guard let left, left < bytes.count else {
        self.left = left.map { $0 - bytes.count }
        target?.write(bytes)
        return holdBack()
      }
      target?.write(Array(bytes[..<left]))
      link.cut()
    }
  }

  private var isFull: Bool { bytesUnderWay + (target?.pendingBytes ?? 0) > Self.limit }

  private func holdBack() { if isFull { source.stopReading() } }

  func goOn() { if !isFull, !isStalled { source.startReading() } }
}
