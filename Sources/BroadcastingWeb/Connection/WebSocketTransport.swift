//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import BroadcastingNetwork

/// A ``WebSocketMachine`` on a stream. It belongs to its ``WebSocket``, and the stream calls it directly.
///
/// Control frames are dealt with as they come, whether or not somebody receives, as long as few messages wait.
///
/// A fan-out on the same loop writes to it directly, past the actor: a thousand checks of isolation a turn would cost as
/// much as all else that it does.
package final class WebSocketTransport: StreamDelegate, DeadlineTarget {
  /// How long the peer has to close its side after both close frames.
  private static let lingerTime = Duration.seconds(2)

  /// What a ping of ours takes on the wire at most: 2 to 6 bytes, and in TLS the record round them (RFC 5246 section 6.2.3
  /// with the longest of its hashes and paddings; RFC 8446 section 5.2 needs less).
  private static let mostPingBytes: UInt64 = 128

  /// Pongs that are gathered for one write.
  private static let pongBytes = 4096

  let stream: any ByteStream
  private let settings: WebSocketSettings
  var machine: WebSocketMachine
  private lazy var place = stream.loop.deadlines.add(self)
  var isClosed = false

  var inbox = WebSocketInbox()
  var isPaused = false
  private var mustHurry = false
  var receiver: UnsafeContinuation<Bool, Never>?
  private var senders: [UnsafeContinuation<Void, Never>] = []
  private var ending: UnsafeContinuation<Void, Never>?
  /// Whether anybody ever received. Who does should get nil at the end.
  var isReceivedFrom = false
  var endWasHeard = false
  /// Gets what comes in place of a receiver, until the end.
  var consumer: (any WebSocketConsumer)?
  /// Runs while the connection has ended and a receiver still works on what it got.
  private var patience: LoopTimer?
  /// It is let go with the connection.
  package var observer: (any WebSocketObserver)? {
    didSet { if isClosed { waitForReceiver() } }
  }

  private var lastHeard: LoopInstant
  /// What the peer had taken when it was last looked at: since the last ping, if it was not heard after that, or since
  /// a close frame that had to wait. Else nil.
  private var takenBefore: UInt64?
  /// How much of what it took since may have been the ping.
  private var pingBytes: UInt64 = 0

  init(_ stream: any ByteStream, role: WebSocketRole, _ settings: WebSocketSettings) {
    self.stream = stream
    self.settings = settings
    machine = WebSocketMachine(role, limits: settings.limits)
    lastHeard = stream.loop.now
  }

  package var close: WebSocketClose? { machine.close }
  var isOver: Bool { machine.state != .open || isClosed }
  /// Whether the connection has ended, and nobody works on a message of it any more. No observer will be told then.
  package var isEnded: Bool { isClosed && (!isReceivedFrom || endWasHeard) }
  var pendingBytes: Int { stream.pendingBytes }
  /// What the peer's system has taken of what was sent, as far as this one knows.
  package var bytesTaken: UInt64 { stream.bytesTaken }

  // MARK: For the socket

  func open(sending head: [UInt8], received bytes: [UInt8], sawEnd: Bool) {
    stream.delegate = self
    stream.write(head)
    setDeadline(after: settings.timeouts.ping)
    bytes.withUnsafeBytes(received)
    if sawEnd { ended(nil) } else if !isPaused { stream.startReading() }
  }

  func addSender(_ continuation: UnsafeContinuation<Void, Never>) {
    // What it looked at may have changed on its way here, where its task does not prefer the loop.
    if Task.isCancelled || isOver || pendingBytes == 0 { continuation.resume() } else { senders.append(continuation) }
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

  /// Sends bytes that are whole frames of a server. False if some of them wait; then the observer will be told of the end
  /// of that.
  package func deliver(_ frames: [UInt8]) -> Bool { isOver || stream.write(frames) }

  /// Sends several arrays of whole frames, in one system call where that is possible.
  package func deliver(_ frames: ArraySlice<[UInt8]>) -> Bool { isOver || stream.write(frames) }

  func beginClose(_ closure: WebSocketClosure) {
    guard !isClosed, let frame = machine.beginClose(closure.code, reason: closure.reason) else { return }
    stream.write(frame)
    // The peer's close frame, or its end, is still to come.
    stream.startReading()
    expectClose()
    wakeAll()
  }

  /// The server stops: a peer that takes bytes slowly is waited for no longer than one that takes none.
  func hurry() {
    if isClosed || mustHurry { return }
    mustHurry = true
    setDeadline(after: settings.timeouts.close)
  }

  // Not inlined: the frame of whoever calls it sleeps with every socket.
  @inline(never)
  func waitForEnd() async {
    if isClosed { return }
    await withUnsafeContinuation { ending = $0 }
  }

  // MARK: For the stream

  package func received(_ bytes: UnsafeRawBufferPointer) {
    if !isOver {
      lastHeard = stream.loop.now
      takenBefore = nil
    }
    var rest = bytes
    var pongs: [UInt8] = []
    while !rest.isEmpty {
      let (consumed, action) = machine.read(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
      guard let action else { break }
      switch action {
      case .deliver(let message):
        inbox.append(message)
      case .answerPing:
        // While the peer does not take what it gets, the latest one is kept.
        if pendingBytes == 0, let pong = machine.takePong() { pongs.append(contentsOf: pong) }
        if pongs.count >= Self.pongBytes { write(&pongs) }
      case .pong:
        break
      case .sendClose(let frame, let thenEnd):
        write(&pongs)
        stream.write(frame)
        if thenEnd { linger() } else { expectClose() }
        wakeAll()
      case .end:
        linger()
      }
    }
    write(&pongs)
    consume()
    if !inbox.isEmpty { wakeReceiver() }
    if !isOver, inbox.isFull {
      isPaused = true
      stream.stopReading()
    }
  }

  package func drained() {
    if let pong = machine.takePong() { stream.write(pong) }
    wakeSenders()
    if !isOver { observer?.socketDrained() }
  }

  package func ended(_ error: NetworkError?) {
    // Without its close frame the peer has not closed the socket but lost it. Nobody is left to talk to.
    machine.connectionEnded()
    stream.close()
    wakeAll()
  }

  package func closed() {
    isClosed = true
    machine.connectionEnded()
    stream.loop.deadlines.remove(place)
    // Who waits gets nil below, and has nothing else in hand.
    if receiver != nil { endWasHeard = true }
    if isEnded { tellEnd() } else { waitForReceiver() }
    wakeAll()
    ending.take()?.resume()
  }

  package func deadlinePassed() {
    if isOver { closeHasTakenTooLong() } else { lookAfterPeer() }
  }

  // MARK: Inside

  /// The peer was not heard for a while, or takes its time to answer a ping.
  private func lookAfterPeer() {
    let now = stream.loop.now
    guard let before = takenBefore else {
      if now < lastHeard + settings.timeouts.ping {
        stream.loop.deadlines.set(place, to: lastHeard + settings.timeouts.ping)
        return
      }
      takenBefore = stream.bytesTaken
      // Behind what waits, it would not come through sooner than that.
      pingBytes = 0
      if pendingBytes == 0, let ping = machine.makePing() {
        pingBytes = Self.mostPingBytes
        stream.write(ping)
      }
      // From here on at each sweep, so as to know when it took the last byte.
      stream.loop.deadlines.set(place, to: now)
      return
    }
    // That its kernel takes a ping does not show that a peer lives, unless nobody here would read the answer.
    if stream.bytesTaken > before + (isPaused ? 0 : pingBytes) {
      lastHeard = now
      takenBefore = nil
      stream.loop.deadlines.set(place, to: now + settings.timeouts.ping)
    } else if now < lastHeard + settings.timeouts.silence {
      stream.loop.deadlines.set(place, to: now)
    } else {
      stream.reset()
    }
  }

  func tellEnd() {
    let last = observer
    observer = nil
    last?.socketEnded()
  }

  /// Somebody may still publish what came last. The end of the sender, in a race with that, must not break it off: it
  /// waits until he asks for more, though not for ever, for he may have wanted one message only.
  private func waitForReceiver() {
    patience.take()?.close()
    if observer == nil || isEnded { return }
    guard let timer = try? LoopTimer(on: stream.loop) else { return hearEnd() }
    patience = timer
    timer.start(after: settings.timeouts.close) { [self] in hearEnd() }
  }

  private func closeHasTakenTooLong() {
    if !mustHurry, let before = takenBefore, case let taken = stream.bytesTaken, taken > before {
      // It still takes what was sent before the close frame.
      takenBefore = taken
      setDeadline(after: settings.timeouts.close)
    } else if machine.state == .closed, pendingBytes == 0 {
      // All is said; it merely does not close its side.
      stream.close()
    } else {
      // The close frame was not answered, or not even read: what waits will not be taken any more.
      stream.reset()
    }
  }

  /// The peer has to answer our close frame, or to take what waits in front of it.
  private func expectClose() {
    takenBefore = pendingBytes == 0 ? nil : stream.bytesTaken
    if !mustHurry { setDeadline(after: settings.timeouts.close) }
  }

  private func write(_ frames: inout [UInt8]) {
    if frames.isEmpty { return }
    stream.write(frames)
    frames = []
  }

  /// Ends our side and leaves the peer time to read to the end; closing at once could turn into a reset.
  private func linger() {
    stream.finish()
    stream.startReading()
    if pendingBytes > 0 { expectClose() } else if !mustHurry { setDeadline(after: Self.lingerTime) }
  }

  private func wakeAll() {
    consume()
    wakeReceiver()
    wakeSenders()
  }

  private func setDeadline(after time: Duration) { stream.loop.deadlines.set(place, to: stream.loop.now + time) }
}
