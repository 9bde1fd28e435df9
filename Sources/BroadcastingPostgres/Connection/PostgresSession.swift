//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingNetwork

/// One session with the database: a connection that listens, one that publishes, and the probes that go from this to that.
/// It belongs to the loop's thread.
final class PostgresSession {
  let listening: ListeningSide
  let publishing: PublishingSide
  private let inbox: DriverInbox
  private let loop: EventLoop
  private let place: String
  private let probeTimer: LoopTimer
  private var probes: ProbeSchedule
  private var isConnected = false
  private(set) var failure: BroadcastError?
  /// Called once, when it can't go on.
  var onFailure: () -> Void = {}
  /// Called before the inbox hears that it is connected.
  var onConnected: () -> Void = {}

  init(
    _ listening: ListeningSide, _ publishing: PublishingSide, _ inbox: DriverInbox, at place: String, on loop: EventLoop
  ) throws(NetworkError) {
    self.listening = listening
    self.publishing = publishing
    self.inbox = inbox
    self.loop = loop
    self.place = place
    probeTimer = try LoopTimer(on: loop)
    probes = ProbeSchedule(now: loop.now)
  }

  func start() throws(LineFailure) {
    listening.onLife = { [unowned self] in probes.heardListening(now: loop.now) }
    listening.onArrival = { [unowned self] event in arrived(event) }
    publishing.onLife = { [unowned self] in probes.heardPublishing(now: loop.now) }
    publishing.onProbeRefused = { [unowned self] number, error in refused(number, error) }
    publishing.onFailure = { [unowned self] error in fail(error) }
    let place = place
    try listening.start { [unowned self] in fail(PostgresError.lost($0, "listens", at: place)) }
    try publishing.start { [unowned self] in fail(PostgresError.lost($0, "publishes", at: place)) }
    probeTimer.whenClosed = { [weak self] in self?.fail(.ended) }
    stepProbes()
  }

  func fail(_ error: BroadcastError) {
    if failure != nil { return }
    failure = error
    onFailure()
  }

  /// Ends it, and all calls that are under way.
  func close(because error: BroadcastError) {
    if failure == nil { failure = error }
    probeTimer.whenClosed = nil
    probeTimer.close()
    listening.close(because: error)
    publishing.close(because: error)
  }

  private func arrived(_ event: Arrivals.Event) {
    switch event {
    case .messages(let deliveries, let channel):
      probes.delivered(now: loop.now)
      inbox.received(deliveries: deliveries, on: channel)
    case .missed(let channel): inbox.missed(nil, on: channel)
    case .probe(let number): heard(number)
    }
  }

  // MARK: Probes

  private func stepProbes() {
    if failure != nil { return }
    switch probes.step(now: loop.now) {
    case .wait(let time):
      probeTimer.start(after: time - loop.now) { [unowned self] in stepProbes() }
    case .probe(let number):
      publishing.publish(probe: number)
      stepProbes()
    case .dead:
      fail(PostgresError.silent(place))
    case .slow:
      fail(PostgresError.slow(place))
    }
  }

  /// The database takes no probe now, as while its queue is full. Who listens still gets what is in the queue, so the session
  /// stays, and the next probe is sent when it would have been. A session that is new can't tell whether it hears, and says why.
  private func refused(_ number: UInt64, _ error: BroadcastError) {
    guard isConnected else { return fail(error) }
    guard failure == nil, probes.arrived(number, now: loop.now) != nil else { return }
    stepProbes()
  }

  private func heard(_ number: UInt64) {
    guard failure == nil, let delay = probes.arrived(number, now: loop.now) else { return }
    if !isConnected {
      isConnected = true
      onConnected()
      inbox.connected()
    }
    inbox.probed(after: delay)
    stepProbes()
  }
}
