//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import Testing

@testable import BroadcastingKafka
@testable import BroadcastingNetwork

@Suite("Whether a cluster can be reached")
struct AvailabilityTests {
  private let down = KafkaFailure(.allBrokersDown, "1/1 brokers are down")
  private let reset = KafkaFailure(.transport, "Disconnected")
  private let noLogin = KafkaFailure(.authentication, "Authentication failed")
  private let late = KafkaFailure(.messageTimedOut, "Message timed out")
  private let forbidden = KafkaFailure(.topicAuthorization, "Not authorized")

  private func at(_ milliseconds: UInt64) -> LoopInstant { LoopInstant(milliseconds: milliseconds) }

  private func opening() -> Availability { Availability(now: at(0), limit: .seconds(3)) }

  /// Connected at 10 ms, with the next probe, its second, at 3 s.
  private func connected() -> Availability {
    var state = opening()
    state.begin(now: at(0))
    #expect(state.step(now: at(0)) == .publishProbe(1))
    state.heardPublishing(now: at(5))
    #expect(state.probeHeard(1, now: at(10)) == .milliseconds(10))
    #expect(state.step(now: at(10)) == .resume)
    #expect(state.step(now: at(10)) == .wait(until: at(3_000)))
    return state
  }

  /// Suspended at 1 s.
  private func suspended() -> Availability {
    var state = connected()
    state.failed(reset, by: .consumer, now: at(1_000))
    state.failed(down, by: .consumer, now: at(1_000))
    #expect(state.step(now: at(1_000)) == .suspend(.failed(reset)))
    return state
  }

  // MARK: Opening

  @Test("it is connected with the first probe, and not before")
  func opens() {
    var state = opening()
    #expect(state.step(now: at(0)) == .wait(until: at(3_000)))
    #expect(state.probeHeard(1, now: at(0)) == nil)
    state.begin(now: at(100))
    #expect(state.step(now: at(100)) == .publishProbe(1))
    #expect(state.step(now: at(100)) == .wait(until: at(3_000)))
    state.heardPublishing(now: at(110))
    #expect(state.step(now: at(110)) == .wait(until: at(3_000)))
    _ = state.probeHeard(1, now: at(120))
    #expect(state.step(now: at(120)) == .resume)
  }

  @Test("a refused login ends it at once, with the words for it", arguments: [KafkaHandle.Kind.producer, .consumer])
  func login(kind: KafkaHandle.Kind) {
    var state = opening()
    state.failed(noLogin, by: kind, now: at(20))
    state.failed(down, by: kind, now: at(20))
    #expect(state.step(now: at(20)) == .end(.failed(noLogin)))
    #expect(state.step(now: at(9_000)) == .wait(until: .distantFuture))
  }

  @Test("brokers that are down have a moment for another address, then it ends with what was wrong")
  func nobody() {
    var state = opening()
    state.failed(reset, by: .producer, now: at(20))
    state.failed(down, by: .producer, now: at(20))
    #expect(state.step(now: at(20)) == .wait(until: at(520)))
    #expect(state.step(now: at(520)) == .end(.failed(reset)))
  }

  @Test("one that answers at another address is no failure")
  func otherAddress() {
    var state = opening()
    state.failed(down, by: .producer, now: at(20))
    state.failed(down, by: .consumer, now: at(20))
    state.heardPublishing(now: at(150))
    state.begin(now: at(600))
    #expect(state.step(now: at(600)) == .publishProbe(1))
  }

  @Test("without an answer it ends when its time is over, or where the probe was taken, as one that is silent")
  func limit() {
    var state = opening()
    #expect(state.step(now: at(3_000)) == .end(.failed(KafkaFailure(.timedOut, "there was no answer"))))
    state = opening()
    state.heardPublishing(now: at(50))
    state.begin(now: at(50))
    _ = state.step(now: at(50))
    state.failed(reset, by: .consumer, now: at(2_000))
    #expect(state.step(now: at(3_000)) == .end(.failed(reset)))
    state = opening()
    state.begin(now: at(50))
    _ = state.step(now: at(50))
    state.heardPublishing(now: at(60))
    #expect(state.step(now: at(3_000)) == .end(.silent))
  }

  @Test("where probes may not be read it ends, or is suspended until one arrives, and that is why")
  func unreadableProbes() {
    var state = opening()
    state.begin(now: at(0))
    _ = state.step(now: at(0))
    state.heardPublishing(now: at(5))
    state.probeUnreadable(forbidden)
    #expect(state.step(now: at(10)) == .end(.probeRefused(forbidden)))
    state = connected()
    state.probeUnreadable(forbidden)
    #expect(state.step(now: at(20)) == .suspend(.probeRefused(forbidden)))
    state = suspended()
    state.probeUnreadable(forbidden)
    #expect(state.step(now: at(1_020)) == .suspend(.probeRefused(forbidden)))
    // It is told once.
    #expect(state.step(now: at(1_020)) == .publishProbe(2))
    _ = state.probeHeard(2, now: at(1_030))
    #expect(state.step(now: at(1_030)) == .verify)
    state.verified(true, now: at(1_040))
    #expect(state.step(now: at(1_040)) == .resume)
  }

  @Test("a first probe that a broker refuses ends it")
  func refusedAtFirst() {
    var state = opening()
    state.begin(now: at(0))
    _ = state.step(now: at(0))
    state.probeRefused(1, forbidden, now: at(5))
    #expect(state.step(now: at(5)) == .end(.probeRefused(forbidden)))
  }

  // MARK: Connected

  @Test("probes go on, each an interval after the last")
  func probes() {
    var state = connected()
    #expect(state.step(now: at(3_000)) == .publishProbe(2))
    #expect(state.probeHeard(1, now: at(3_001)) == nil)
    #expect(state.probeHeard(2, now: at(3_100)) == .milliseconds(100))
    #expect(state.step(now: at(3_100)) == .wait(until: at(6_000)))
  }

  @Test("all brokers down suspends at once, for either handle", arguments: [KafkaHandle.Kind.producer, .consumer])
  func allDown(kind: KafkaHandle.Kind) {
    var state = connected()
    state.failed(reset, by: kind, now: at(1_000))
    state.failed(down, by: kind, now: at(1_001))
    #expect(state.step(now: at(1_001)) == .suspend(.failed(reset)))
  }

  @Test("the words of a failure that is long past are not those of this one")
  func oldWords() {
    var state = connected()
    state.failed(reset, by: .producer, now: at(20))
    state.failed(down, by: .producer, now: at(2_900))
    #expect(state.step(now: at(2_900)) == .suspend(.failed(down)))
  }

  @Test("one broker that is lost suspends nothing")
  func oneLost() {
    var state = connected()
    state.failed(reset, by: .producer, now: at(1_000))
    #expect(state.step(now: at(1_000)) == .wait(until: at(3_000)))
  }

  @Test("a line of the consumer that was lost is verified after a moment, once for many")
  func verification() {
    var state = connected()
    for time in [1_000, 1_400, 1_900] as [UInt64] { state.failed(reset, by: .consumer, now: at(time)) }
    #expect(state.step(now: at(1_900)) == .wait(until: at(2_000)))
    #expect(state.step(now: at(2_000)) == .verify)
    #expect(state.step(now: at(2_000)) == .wait(until: at(3_000)))
    state.verified(false, now: at(2_100))
    #expect(state.step(now: at(2_100)) == .wait(until: at(3_000)))
    #expect(state.step(now: at(3_100)) == .verify)
    state.verified(true, now: at(3_101))
    #expect(state.step(now: at(3_101)) == .publishProbe(2))
  }

  @Test("a probe that nobody answers suspends, also while others show life for long")
  func dead() {
    var state = connected()
    _ = state.step(now: at(3_000))
    state.heardPublishing(now: at(3_001))
    #expect(state.step(now: at(8_001)) == .suspend(.silent))
  }

  @Test("a probe that times out suspends, but where other messages are taken it is its partition alone")
  func timedOut() {
    var state = connected()
    _ = state.step(now: at(3_000))
    state.probeRefused(2, late, now: at(5_000))
    #expect(state.step(now: at(5_000)) == .suspend(.failed(late)))
    state = connected()
    _ = state.step(now: at(3_000))
    state.heardPublishing(now: at(4_000))
    state.probeRefused(2, late, now: at(5_000))
    #expect(state.step(now: at(5_000)) == .wait(until: at(6_000)))
  }

  @Test(
    "a broker that refuses a probe is there: nothing is suspended",
    arguments: [KafkaCode.topicAuthorization, .unknownTopic, .notEnoughReplicas])
  func refused(code: KafkaCode) {
    var state = connected()
    _ = state.step(now: at(3_000))
    state.probeRefused(2, KafkaFailure(code, "no"), now: at(3_010))
    #expect(state.step(now: at(3_010)) == .wait(until: at(6_000)))
    #expect(state.step(now: at(6_000)) == .publishProbe(3))
  }

  // MARK: Suspended

  @Test("one probe is always under way, at least a moment after the last")
  func probing() {
    var state = suspended()
    #expect(state.step(now: at(1_000)) == .publishProbe(2))
    #expect(state.step(now: at(1_000)) == .wait(until: at(6_000)))
    state.probeRefused(2, late, now: at(1_050))
    #expect(state.step(now: at(1_050)) == .wait(until: at(1_200)))
    #expect(state.step(now: at(1_200)) == .publishProbe(3))
    // Nobody ever tells of this one.
    #expect(state.step(now: at(6_200)) == .publishProbe(4))
  }

  @Test("it resumes when a probe is heard and the topics are verified, and goes on probing")
  func resumes() {
    var state = suspended()
    _ = state.step(now: at(1_000))
    #expect(state.probeHeard(1, now: at(1_001)) == nil)
    #expect(state.step(now: at(1_001)) == .wait(until: at(6_000)))
    #expect(state.probeHeard(2, now: at(1_100)) == .milliseconds(100))
    #expect(state.step(now: at(1_100)) == .verify)
    #expect(state.step(now: at(1_100)) == .wait(until: .distantFuture))
    state.verified(true, now: at(1_150))
    #expect(state.step(now: at(1_150)) == .resume)
    #expect(state.step(now: at(1_150)) == .publishProbe(3))
    #expect(state.probeHeard(2, now: at(1_151)) == nil)
    #expect(state.probeHeard(3, now: at(1_160)) == .milliseconds(10))
    #expect(state.step(now: at(1_160)) == .wait(until: at(4_150)))
  }

  @Test("an earlier probe of the suspension resumes it as well")
  func earlierProbe() {
    var state = suspended()
    _ = state.step(now: at(1_000))
    _ = state.step(now: at(6_000))
    #expect(state.probeHeard(2, now: at(6_100)) == nil)
    #expect(state.step(now: at(6_100)) == .verify)
  }

  @Test("what can't be verified, or is lost again meanwhile, stays suspended")
  func notVerified() {
    for isDone in [false, true] {
      var state = suspended()
      _ = state.step(now: at(1_000))
      _ = state.probeHeard(2, now: at(1_100))
      #expect(state.step(now: at(1_100)) == .verify)
      if isDone { state.failed(down, by: .producer, now: at(1_110)) }
      state.verified(isDone, now: at(1_200))
      #expect(state.step(now: at(1_200)) == .publishProbe(3))
    }
  }

  @Test("a verification from before the loss proves nothing")
  func oldVerification() {
    var state = connected()
    state.failed(reset, by: .consumer, now: at(100))
    #expect(state.step(now: at(1_100)) == .verify)
    state.failed(down, by: .consumer, now: at(1_200))
    #expect(state.step(now: at(1_200)) == .suspend(.failed(reset)))
    #expect(state.step(now: at(1_200)) == .publishProbe(2))
    _ = state.probeHeard(2, now: at(1_300))
    #expect(state.step(now: at(1_300)) == .wait(until: .distantFuture))
    state.verified(true, now: at(1_310))
    #expect(state.step(now: at(1_310)) == .verify)
    state.verified(true, now: at(1_320))
    #expect(state.step(now: at(1_320)) == .resume)
  }

  @Test("a login that is refused meanwhile is told, once")
  func loginMeanwhile() {
    var state = suspended()
    _ = state.step(now: at(1_000))
    state.failed(noLogin, by: .producer, now: at(1_100))
    state.failed(noLogin, by: .consumer, now: at(1_100))
    #expect(state.step(now: at(1_100)) == .suspend(.failed(noLogin)))
    #expect(state.step(now: at(1_100)) == .wait(until: at(6_000)))
  }

  @Test("a probe that a broker refuses now is told as the reason")
  func refusedMeanwhile() {
    var state = suspended()
    _ = state.step(now: at(1_000))
    state.probeRefused(2, forbidden, now: at(1_100))
    #expect(state.step(now: at(1_100)) == .suspend(.probeRefused(forbidden)))
    #expect(state.step(now: at(1_200)) == .publishProbe(3))
  }
}
