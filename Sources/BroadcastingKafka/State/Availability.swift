//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingBroker
import BroadcastingNetwork

/// Whether the cluster can be reached, both ways: a machine that does nothing itself.
///
/// A session is connected when its first probe has arrived. A line that is lost ends nothing: the library makes it anew, reading
/// goes on at its own offsets, and nothing was missed. So the session is suspended only. From then on one probe is always
/// under way, since the library is silent about what it has told once; when one arrives it is verified that the topics are
/// still those, and the session goes on.
struct Availability {
  /// Why there is no connection.
  enum Trouble: Equatable {
    case failed(KafkaFailure)
    /// A broker does not take the probe.
    case probeRefused(KafkaFailure)
    /// A probe was taken, and did not arrive.
    case silent
  }

  enum Step: Equatable {
    /// Publish the probe with this number.
    case publishProbe(UInt64)
    /// See whether the topics are those that they were, and call ``verified(_:now:)``.
    case verify
    case suspend(Trouble)
    /// It is connected, for the first time or again.
    case resume
    case end(Trouble)
    case wait(until: LoopInstant)
  }

  private enum Phase { case opening, connected, suspended, over }
  private enum Verification: Equatable {
    case none
    case due(LoopInstant)
    case running
  }

  /// A name may lead to several addresses, of which only the last is right: the library tries the next after a pause.
  static let downPatience = Duration.milliseconds(500)
  static let probePause = Duration.milliseconds(200)
  static let probePatience = ProbeSchedule.patience
  static let verificationPause = Duration.seconds(1)
  /// The words of a failure that is older say nothing about this one.
  static let memory = Duration.seconds(2)

  private var phase = Phase.opening
  private let openingEnd: LoopInstant
  /// Until when a new session waits for the next address.
  private var downEnd: LoopInstant?
  private var schedule: ProbeSchedule?
  /// What the schedule's number is ahead of by, since each suspension begins a new one.
  private var base: UInt64 = 0
  private var lastNumber: UInt64 = 0
  /// The one probe of a suspended session.
  private var isProbing = false
  private var lastProbe: LoopInstant
  /// Whether a broker has answered the producer since.
  private var hasAnswered = false
  /// The last probe from before a suspension; one behind it shows that all works again.
  private var lastBefore: UInt64 = 0
  private var hasHeard = false
  private var trouble: Trouble?
  private var toldTrouble: Trouble?
  private var verification = Verification.none
  private var isVerificationOld = false
  private var willResume = false
  private var lastFailures: [KafkaHandle.Kind: (failure: KafkaFailure, at: LoopInstant)] = [:]

  /// - Parameter limit: How long connecting may take.
  init(now: LoopInstant, limit: Duration) {
    openingEnd = now + limit
    lastProbe = now
  }

  /// Probes are read, and can be published.
  mutating func begin(now: LoopInstant) { if phase == .opening { schedule = ProbeSchedule(now: now) } }

  // MARK: Probes

  /// Returns how long it took, where that is known.
  mutating func probeHeard(_ number: UInt64, now: LoopInstant) -> Duration? {
    schedule?.heardListening(now: now)
    let isLast = number == lastNumber
    if phase == .suspended {
      guard number > lastBefore else { return nil }
      hasHeard = true
      if isLast { isProbing = false }
      return isLast ? now - lastProbe : nil
    }
    guard number > base, let delay = schedule?.arrived(number - base, now: now) else { return nil }
    hasHeard = phase == .opening
    return delay
  }

  mutating func probeRefused(_ number: UInt64, _ failure: KafkaFailure, now: LoopInstant) {
    guard number == lastNumber, number > base || phase == .suspended else { return }
    // A broker that refuses it is there, and so are its other topics.
    let isAnswer =
      failure.code.meansUnknownTopic
      || failure.code.rawValue > 0 && !failure.code.concernsLeader && !failure.code.meansTimedOut
    switch phase {
    case .opening:
      trouble = isAnswer ? .probeRefused(failure) : .failed(recent(.producer, now) ?? failure)
    case .connected:
      // And with others that are taken meanwhile it is the probe's partition alone.
      if isAnswer || hasAnswered {
        // The next one is published when it would have been.
        _ = schedule?.arrived(number - base, now: now)
      } else {
        trouble = .failed(recent(.producer, now) ?? failure)
      }
    case .suspended:
      isProbing = false
      if isAnswer { trouble = .probeRefused(failure) }
    case .over: break
    }
  }

  /// Probes are taken, and there is no right to read them: none will arrive.
  mutating func probeUnreadable(_ failure: KafkaFailure) {
    if phase != .over { trouble = .probeRefused(failure) }
  }

  // MARK: Life

  /// Records came, or the end of a partition was reached.
  mutating func heardListening(now: LoopInstant) {
    schedule?.heardListening(now: now)
    // The broker sends none of it without having been asked, so it proves as much as messages do.
    schedule?.delivered(now: now)
  }

  /// A broker has answered the producer.
  mutating func heardPublishing(now: LoopInstant) {
    schedule?.heardPublishing(now: now)
    hasAnswered = true
    downEnd = nil
  }

  // MARK: Failures

  /// The library tells of a failure.
  mutating func failed(_ failure: KafkaFailure, by kind: KafkaHandle.Kind, now: LoopInstant) {
    guard failure.code == .allBrokersDown else {
      lastFailures[kind] = (failure, now)
      if failure.code.concernsLogin, phase != .connected { trouble = .failed(failure) }
      if kind == .consumer, phase == .connected, failure.code == .transport || failure.code == .timedOut {
        verify(at: now + Self.verificationPause)
      }
      return
    }
    switch phase {
    case .opening:
      // What the consumer's lines come to is seen by the probe.
      if kind == .producer, downEnd == nil { downEnd = now + Self.downPatience }
    case .connected: trouble = .failed(recent(kind, now) ?? failure)
    case .suspended: hasHeard = false
    case .over: break
    }
  }

  private func recent(_ kind: KafkaHandle.Kind, _ now: LoopInstant) -> KafkaFailure? {
    lastFailures[kind].flatMap { now - $0.at <= Self.memory ? $0.failure : nil }
  }

  // MARK: Verification

  private mutating func verify(at time: LoopInstant) { if verification == .none { verification = .due(time) } }

  /// - Parameter isDone: False: nobody answered.
  mutating func verified(_ isDone: Bool, now: LoopInstant) {
    verification = .none
    defer { isVerificationOld = false }
    switch phase {
    // What was found before the line was lost may be true no more.
    case .suspended where isVerificationOld: break
    case .suspended where isDone: willResume = hasHeard
    case .suspended: hasHeard = false
    case .connected where !isDone: verify(at: now + Self.verificationPause)
    case .connected, .opening, .over: break
    }
  }

  // MARK: What is due

  /// What is due now. Call it again until it says to wait, and at the time that it says.
  mutating func step(now: LoopInstant) -> Step {
    switch phase {
    case .opening: stepOpening(now)
    case .connected: stepConnected(now)
    case .suspended: stepSuspended(now)
    case .over: .wait(until: .distantFuture)
    }
  }

  private mutating func stepOpening(_ now: LoopInstant) -> Step {
    if let trouble { return end(trouble) }
    if hasHeard { return resume(now) }
    let end = min(openingEnd, downEnd ?? .distantFuture)
    if end <= now {
      return self.end(
        lastNumber > 0 && hasAnswered
          ? .silent : .failed(recent(.producer, now) ?? recent(.consumer, now) ?? Self.noAnswer))
    }
    return stepSchedule(now, notAfter: end) ?? self.end(.silent)
  }

  private static let noAnswer = KafkaFailure(.timedOut, "there was no answer")

  private mutating func stepConnected(_ now: LoopInstant) -> Step {
    if let trouble { return suspend(trouble) }
    var end = LoopInstant.distantFuture
    if case .due(let time) = verification {
      if time <= now {
        verification = .running
        return .verify
      }
      end = time
    }
    return stepSchedule(now, notAfter: end) ?? suspend(.silent)
  }

  /// Nil when the connection is dead.
  private mutating func stepSchedule(_ now: LoopInstant, notAfter end: LoopInstant) -> Step? {
    switch schedule?.step(now: now) {
    case .probe(let number):
      lastNumber = base + number
      lastProbe = now
      hasAnswered = false
      return .publishProbe(lastNumber)
    case .wait(let time): return .wait(until: min(time, end))
    case .dead, .slow: return nil
    case nil: return .wait(until: end)
    }
  }

  private mutating func stepSuspended(_ now: LoopInstant) -> Step {
    if let trouble, trouble != toldTrouble {
      toldTrouble = trouble
      return .suspend(trouble)
    }
    if willResume { return resume(now) }
    if hasHeard {
      if verification == .running { return .wait(until: .distantFuture) }
      verification = .running
      return .verify
    }
    let due = lastProbe + (isProbing ? Self.probePatience : Self.probePause)
    guard due <= now else { return .wait(until: due) }
    lastNumber += 1
    lastProbe = now
    isProbing = true
    return .publishProbe(lastNumber)
  }

  private mutating func suspend(_ trouble: Trouble) -> Step {
    phase = .suspended
    (self.trouble, toldTrouble) = (trouble, trouble)
    lastBefore = lastNumber
    (isProbing, hasHeard, willResume) = (false, false, false)
    if verification == .running { isVerificationOld = true } else { verification = .none }
    return .suspend(trouble)
  }

  private mutating func resume(_ now: LoopInstant) -> Step {
    if phase == .suspended {
      base = lastNumber
      schedule = ProbeSchedule(now: now)
    }
    phase = .connected
    (trouble, toldTrouble) = (nil, nil)
    (hasHeard, willResume) = (false, false)
    return .resume
  }

  private mutating func end(_ trouble: Trouble) -> Step {
    phase = .over
    return .end(trouble)
  }
}
