//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// A ``WebSocketMachine`` on a stream. It belongs to its ``WebSocket``, and the stream calls it directly.
///
/// Control frames are dealt with as they come, whether or not somebody receives, as long as few messages wait.
final class WebSocketTransport: StreamDelegate, DeadlineTarget {
  /// Messages, and bytes in them, that may wait for the receiver before reading stops.
  private static let inboxMessages = 16
  private static let inboxBytes = 64 * 1024

  /// How long the peer has to close its side after both close frames.
  private static let lingerTime = Duration.seconds(2)

  /// What a ping of ours takes on the wire at most: header and mask.
  private static let pingBytes = 6

  private let stream: any ByteStream
  private let timeouts: WebSocketTimeouts
  private var machine: WebSocketMachine
  private lazy var place = stream.loop.deadlines.add(self)
  private var isClosed = false

  private var inbox: [WebSocketMessage] = []
  private var inboxSize = 0
  private var isPaused = false
  private var receiver: UnsafeContinuation<Bool, Never>?
  private var senders: [UnsafeContinuation<Void, Never>] = []
  private var ending: UnsafeContinuation<Void, Never>?
  var drainObserver: (any WebSocketDrainObserver)?

  private var lastHeard: LoopInstant
  /// What the peer had taken when the last ping went out; nil when none has since the peer was heard.
  private var takenAtPing: UInt64?

  init(_ stream: any ByteStream, _ machine: WebSocketMachine, _ timeouts: WebSocketTimeouts) {
    self.stream = stream
    self.machine = machine
    self.timeouts = timeouts
    lastHeard = stream.loop.now
  }

  var close: WebSocketClose? { machine.close }
  var isOver: Bool { machine.state != .open || isClosed }
  var pendingBytes: Int { stream.pendingBytes }

  // MARK: For the socket

  func open(sending head: [UInt8], received bytes: [UInt8]) {
    stream.delegate = self
    stream.write(head)
    setDeadline(after: timeouts.ping)
    bytes.withUnsafeBytes(received)
    if !isPaused { stream.startReading() }
  }

  func takeMessage() -> WebSocketMessage? {
    if inbox.isEmpty { return nil }
    let message = inbox.removeFirst()
    inboxSize -= message.bytes.count
    if isPaused, inbox.isEmpty {
      isPaused = false
      stream.startReading()
    }
    if inbox.isEmpty { inbox = [] }
    return message
  }

  func setReceiver(_ continuation: UnsafeContinuation<Bool, Never>) {
    receiver.take()?.resume(returning: false)
    if isOver || !inbox.isEmpty || Task.isCancelled {
      continuation.resume(returning: true)
    } else {
      receiver = continuation
    }
  }

  func wakeReceiver() { receiver.take()?.resume(returning: true) }

  func addSender(_ continuation: UnsafeContinuation<Void, Never>) {
    if Task.isCancelled { continuation.resume() } else { senders.append(continuation) }
  }

  func wakeSenders() {
    let woken = senders
    senders = []
    for sender in woken { sender.resume() }
  }

  func send(_ message: WebSocketMessage) -> Bool {
    guard !isClosed, let frame = machine.makeFrame(message) else { return false }
    stream.write(frame)
    return true
  }

  func deliver(_ frames: [UInt8]) -> Bool { isOver || stream.write(frames) }

  func deliver(_ frames: ArraySlice<[UInt8]>) -> Bool { isOver || stream.write(frames) }

  func beginClose(_ closure: WebSocketClosure) {
    guard !isClosed, let frame = machine.beginClose(closure.code, reason: closure.reason) else { return }
    stream.write(frame)
    // The peer's close frame, or its end, is still to come.
    stream.startReading()
    setDeadline(after: timeouts.close)
    wakeAll()
  }

  // Not inlined: the frame of whoever calls it sleeps with every socket.
  @inline(never)
  func waitForEnd() async {
    if isClosed { return }
    await withUnsafeContinuation { ending = $0 }
  }

  // MARK: For the stream

  func received(_ bytes: UnsafeRawBufferPointer) {
    lastHeard = stream.loop.now
    takenAtPing = nil
    var rest = bytes
    while !rest.isEmpty {
      let (consumed, action) = machine.read(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      guard let action else { break }
      perform(action)
    }
    if !inbox.isEmpty { wakeReceiver() }
    if !isOver, inbox.count >= Self.inboxMessages || inboxSize >= Self.inboxBytes {
      isPaused = true
      stream.stopReading()
    }
  }

  func drained() {
    answerPing()
    wakeSenders()
    if !isOver { drainObserver?.socketDrained() }
  }

  func ended(_ error: NetworkError?) {
    // Without its close frame the peer has not closed the socket but lost it. Nobody is left to talk to.
    machine.connectionEnded()
    stream.close()
    wakeAll()
  }

  func closed() {
    isClosed = true
    machine.connectionEnded()
    stream.loop.deadlines.remove(place)
    drainObserver = nil
    wakeAll()
    ending.take()?.resume()
  }

  func deadlinePassed() {
    if isOver {
      // The close frame was not answered, or not even read: what waits will not be taken any more.
      stream.reset()
      return
    }
    let now = stream.loop.now
    if isPaused {
      // We do not listen, so the peer's silence means nothing.
      lastHeard = now
    } else if let takenAtPing, now >= lastHeard + timeouts.silence {
      let taken = stream.bytesTaken
      guard taken > takenAtPing + UInt64(Self.pingBytes) else {
        stream.reset()
        return
      }
      lastHeard = now
    } else if takenAtPing == nil, now >= lastHeard + timeouts.ping, let ping = machine.makePing() {
      takenAtPing = stream.bytesTaken
      stream.write(ping)
      stream.loop.deadlines.set(place, to: lastHeard + timeouts.silence)
      return
    }
    takenAtPing = nil
    stream.loop.deadlines.set(place, to: lastHeard + timeouts.ping)
  }

  // MARK: Inside

  private func perform(_ action: WebSocketMachine.Action) {
    switch action {
    case .deliver(let message):
      inbox.append(message)
      inboxSize += message.bytes.count
    case .answerPing:
      if pendingBytes == 0 { answerPing() }
    case .pong:
      break
    case .sendClose(let frame, let thenEnd):
      stream.write(frame)
      if thenEnd { linger() } else { setDeadline(after: timeouts.close) }
      wakeAll()
    case .end:
      linger()
    }
  }

  private func answerPing() {
    if let pong = machine.takePong() { stream.write(pong) }
  }

  /// Ends our side and leaves the peer time to read to the end; closing at once could turn into a reset.
  private func linger() {
    stream.finish()
    stream.startReading()
    setDeadline(after: pendingBytes == 0 ? Self.lingerTime : timeouts.close)
  }

  private func wakeAll() {
    wakeReceiver()
    wakeSenders()
  }

  private func setDeadline(after duration: Duration) {
    stream.loop.deadlines.set(place, to: stream.loop.now + duration)
  }
}
