//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

extension FaultyProxy {
  // MARK: What happens to the bytes

  /// For the connections there are, and those that come.
  package func set(_ mode: Mode) {
    self.mode = mode
    for link in links { link.set(mode) }
  }

  /// For the connections that come, while those there are stay as they are.
  package func setForNew(_ mode: Mode) { self.mode = mode }

  /// Whatever comes from either end takes so long to the other, for the connections there are, and those that come.
  /// Nothing is slowed down otherwise: the line holds any number of bytes, up to a limit of 4 MiB.
  package func setLatency(_ each: Duration) {
    latency = each
    for link in links { link.setLatency(each) }
  }

  /// Nothing more is taken from either end of the connections there are, as by somebody who reads no further: what is
  /// said waits there, and nothing is lost, until ``goOn()``.
  package func stall() { for link in links { link.setStalled(true) } }
  package func goOn() { for link in links { link.setStalled(false) } }

  /// New connections lead to this port of the machine, while those there are stay as they are.
  package func lead(to upstream: Int) { self.upstream = UInt16(upstream) }

  // MARK: Cuts

  /// Cuts all connections by a reset.
  package func cut() {
    for link in links { link.cut() }
    links = []
  }

  /// Cuts those connections by a reset whose client has said `words` among the first things: the one that listens, as it
  /// were, and not the one that publishes.
  ///
  /// - Returns: how many.
  @discardableResult
  package func cut(saying words: String) -> Int {
    let chosen = links.filter { !$0.isOver && $0.clientSaid(words) }
    for link in chosen { link.cut() }
    return chosen.count
  }

  /// Lets so many more bytes of the server through to each client, and then cuts its connection by a reset: in the middle
  /// of a message, if that is longer.
  package func cut(after bytes: Int) {
    for link in links { link.cut(after: bytes) }
  }

  /// Cuts all connections so many times, with a pause before each.
  package func flap(every pause: Duration, times: Int) async throws {
    for _ in 0..<times {
      try await loop.sleep(for: pause)
      cut()
    }
  }

  // MARK: Listening

  /// Nobody listens any more when this returns: who connects is refused. The connections there are live on.
  package func refuse() async {
    stopHanging()
    await listener.take()?.close()
    // The socket goes a little later than its listener.
    while let stream = try? await loop.connect(to: "127.0.0.1", port: UInt16(port), within: .seconds(1)) {
      stream.close()
    }
  }

  /// Connecting hangs: what comes is neither accepted nor refused. The connections there are live on.
  ///
  /// The system completes connections by itself until its queue is full, so it is filled here: until one hangs.
  package func hang() async throws {
    await refuse()
    let sockets = try await Self.bind(port, backlog: 1)
    var fillers: [SocketStream] = []
    while let filler = try? await loop.connect(to: "127.0.0.1", port: UInt16(port), within: .milliseconds(300)) {
      fillers.append(filler)
    }
    hanging = (sockets, fillers)
  }

  func stopHanging() {
    for filler in hanging?.fillers ?? [] { filler.close() }
    hanging = nil
  }

  /// After ``refuse()`` and ``hang()``.
  package func listenAgain() async throws {
    stopHanging()
    try listen(on: try await Self.bind(port))
  }
}
