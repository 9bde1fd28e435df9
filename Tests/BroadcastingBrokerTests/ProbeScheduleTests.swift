//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingBroker
@testable import BroadcastingNetwork

@Suite("When a connection is probed, and when it is dead")
struct ProbeScheduleTests {
  private func at(_ seconds: Double) -> LoopInstant { LoopInstant(milliseconds: UInt64(seconds * 1000)) }

  @Test("the first probe is due at once, the next one an interval after it was sent")
  func interval() {
    var schedule = ProbeSchedule(now: at(10))
    #expect(schedule.step(now: at(10)) == .probe(1))
    #expect(schedule.arrived(1, now: at(10.2)) == .milliseconds(200))
    #expect(schedule.step(now: at(10.2)) == .wait(until: at(13)))
    #expect(schedule.step(now: at(13)) == .probe(2))
  }

  @Test("one that took longer than the interval is followed by the next at once")
  func slow() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    #expect(schedule.arrived(1, now: at(4)) == .seconds(4))
    #expect(schedule.step(now: at(4)) == .probe(2))
  }

  @Test("a silent connection is dead within 8 s of its last probe")
  func dead() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    _ = schedule.arrived(1, now: at(0))
    _ = schedule.step(now: at(3))
    #expect(schedule.step(now: at(3)) == .wait(until: at(8)))
    #expect(schedule.step(now: at(7.999)) == .wait(until: at(8)))
    #expect(schedule.step(now: at(8)) == .dead)
  }

  @Test("life on one way alone does not count: the other may be what is dead")
  func half() {
    for listens in [true, false] {
      var schedule = ProbeSchedule(now: at(0))
      _ = schedule.step(now: at(0))
      if listens { schedule.heardListening(now: at(4)) } else { schedule.heardPublishing(now: at(4)) }
      #expect(schedule.step(now: at(5)) == .dead)
    }
  }

  @Test("a busy connection has more time, but not without end")
  func busy() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    for tenths in 1..<65 {
      let second = Double(tenths) / 10
      schedule.heardListening(now: at(second))
      schedule.heardPublishing(now: at(second))
      #expect(schedule.step(now: at(second)) == .wait(until: at(min(second + 5, 6.5))))
    }
    #expect(schedule.step(now: at(6.5)) == .dead)
  }

  @Test("a connection that brings all but probes is dead within 10 s of the last one that arrived")
  func lively() {
    for delay in [0, 1, 2.5, 6] {
      var schedule = ProbeSchedule(now: at(0))
      _ = schedule.step(now: at(0))
      #expect(schedule.arrived(1, now: at(delay)) != nil)
      var time = delay
      while true {
        schedule.heardListening(now: at(time))
        schedule.heardPublishing(now: at(time))
        if schedule.step(now: at(time)) == .dead { break }
        time += 0.25
        guard time <= delay + 10 else { break }
      }
      #expect(time <= delay + 10)
    }
  }

  @Test("a connection that delivers messages is not dead, and too slow 30 s after the probe was sent")
  func delivering() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    schedule.heardPublishing(now: at(0.1))
    for second in 1..<30 {
      schedule.heardListening(now: at(Double(second)))
      schedule.delivered(now: at(Double(second)))
      #expect(schedule.step(now: at(Double(second))) == .wait(until: at(min(Double(second) + 5, 30))))
    }
    #expect(schedule.step(now: at(30)) == .slow)
    // A probe that gets through has time for the next one.
    #expect(schedule.arrived(1, now: at(29.9)) == .milliseconds(29_900))
    #expect(schedule.step(now: at(29.9)) == .probe(2))
    #expect(schedule.step(now: at(30)) == .wait(until: at(34.9)))
  }

  @Test("one that stops to deliver is dead 5 s after its last message")
  func delivered() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    schedule.heardPublishing(now: at(0.1))
    schedule.delivered(now: at(12))
    #expect(schedule.step(now: at(12)) == .wait(until: at(17)))
    #expect(schedule.step(now: at(17)) == .dead)
  }

  @Test("one that delivers and whose broker answers nothing is dead as any other")
  func deliveringHalf() {
    var schedule = ProbeSchedule(now: at(0))
    schedule.heardPublishing(now: at(0))
    _ = schedule.step(now: at(0))
    for second in 1..<5 {
      schedule.heardListening(now: at(Double(second)))
      schedule.delivered(now: at(Double(second)))
    }
    #expect(schedule.step(now: at(5)) == .dead)
  }

  @Test("messages that came before the probe was sent are no proof that others come")
  func deliveredBefore() {
    var schedule = ProbeSchedule(now: at(0))
    _ = schedule.step(now: at(0))
    schedule.heardPublishing(now: at(0))
    schedule.delivered(now: at(0))
    _ = schedule.arrived(1, now: at(0))
    #expect(schedule.step(now: at(3)) == .probe(2))
    schedule.heardPublishing(now: at(3.1))
    #expect(schedule.step(now: at(8)) == .dead)
  }

  @Test("a probe that nobody waits for is none")
  func unexpected() {
    var schedule = ProbeSchedule(now: at(0))
    #expect(schedule.arrived(0, now: at(0)) == nil)
    _ = schedule.step(now: at(0))
    #expect(schedule.arrived(2, now: at(1)) == nil)
    #expect(schedule.arrived(1, now: at(1)) != nil)
    #expect(schedule.arrived(1, now: at(1)) == nil)
  }
}
