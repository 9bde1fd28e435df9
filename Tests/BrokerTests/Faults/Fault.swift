//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import TestSupport
import Testing

/// What happens to a broker, or to the line to it, from its beginning to its end.
///
/// What sleeps here is the fault, for as long as it lasts. Nothing waits by it for something to happen.
struct Fault: Sendable, CustomTestStringConvertible {
  var name: String
  /// Whether something may be lost at all.
  var isLossy = true
  /// Whether the subscriber's connection is certainly lost.
  var cutsSubscriber = true
  /// Whether it happens to the server itself, and so to the witness too.
  var reachesServer = false
  /// Whether it ends the server, and starts it anew.
  var restartsServer = false
  var happen: @Sendable (FaultRun, Broker) async throws -> Void

  var testDescription: String { name }

  /// The longest first, so that they have come to their end when the others have.
  static let all = [
    blackhole, flapping, connectingHangs, refused, slow, hang, crash, ended, reset, listeningReset, cutInMessage,
  ]

  /// Every connection is reset, three times, as soon as all is well again.
  static let reset = Fault(name: "reset") { run, _ in
    for _ in 0..<3 {
      await run.proxy.cut()
      try await run.allIsWell(within: Promised.recovering)
    }
  }

  /// The connections on which broadcasts listen are reset, and those on which they publish are not.
  static let listeningReset = Fault(name: "reset of the listening connection") { run, broker in
    #expect(await run.proxy.cut(saying: broker.listeningWords) > 0)
  }

  /// For 20 s no byte passes, and nobody is told. It is noticed all the same.
  static let blackhole = Fault(name: "blackhole") { run, _ in
    let start = ContinuousClock.now
    await run.proxy.set(.silent)
    try await run.isNoticed(since: start, within: Promised.noticing)
    try await Task.sleep(until: start + .seconds(20))
    await run.proxy.set(.forward)
  }

  /// The server is killed, and comes back.
  static let crash = Fault(name: "kill -9 and restart", reachesServer: true, restartsServer: true) { run, _ in
    try await run.server.kill()
    try await Task.sleep(for: .seconds(3))
    try await run.server.start()
  }

  /// The server hangs with all of its connections, and then goes on as if nothing had been.
  static let hang = Fault(name: "hang", reachesServer: true) { run, _ in
    let start = ContinuousClock.now
    run.server.freeze()
    try await run.isNoticed(since: start, within: Promised.noticing)
    run.server.thaw()
  }

  /// Every connection is reset, each second for 20 s.
  static let flapping = Fault(name: "flapping") { run, _ in
    try await run.proxy.flap(every: .seconds(1), times: 20)
  }

  /// Everything takes 200 ms each way. It is slow, and no more.
  static let slow = Fault(name: "slow", isLossy: false, cutsSubscriber: false) { run, _ in
    await run.proxy.setLatency(.milliseconds(200))
    try await Task.sleep(for: .seconds(8))
    try await run.allIsWell(within: .seconds(20))
    await run.proxy.setLatency(.zero)
  }

  /// Connections are reset, and refused for 10 s.
  static let refused = Fault(name: "refused") { run, _ in
    await run.proxy.refuse()
    await run.proxy.cut()
    try await Task.sleep(for: .seconds(10))
    try await run.proxy.listenAgain()
  }

  /// Connections are reset, and for 8 s nobody accepts or refuses new ones.
  static let connectingHangs = Fault(name: "connecting hangs") { run, _ in
    try await run.proxy.hang()
    await run.proxy.cut()
    try await Task.sleep(for: .seconds(8))
    try await run.proxy.listenAgain()
  }

  /// The server itself ends all connections, as it does when an administrator wants it to.
  static let ended = Fault(name: "ended by the server", reachesServer: true) { run, _ in
    try await run.server.endConnections()
  }

  /// Connections are reset in the middle of what the server says, in the middle of a message mostly.
  static let cutInMessage = Fault(name: "cut in a message") { run, _ in
    for bytes in [1, 300, 7_000, 25_000, 50_001] {
      await run.proxy.cut(after: bytes)
      let accepted = await run.proxy.accepted
      try await wait(for: "the cut") { await run.proxy.accepted > accepted }
      try await run.allIsWell(within: Promised.recovering)
    }
  }
}
