//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import BroadcastingLocking
import BroadcastingNetwork
import CRdkafka

@testable import BroadcastingKafka

/// A publishing side on a loop, with what a session gives it: a mailbox, notices and a clock.
// Sendable: `side`, `pipe` and `timer` are touched on the loop alone.
final class PublishingRig: @unchecked Sendable {
  /// What the session was told.
  struct Told: Sendable {
    var heard = 0
    var refusedProbes: [UInt64: KafkaFailure] = [:]
    var failures: [KafkaFailure] = []
    var producers = 1
    var unusable: KafkaFailure?
  }

  private let state = Lock(Told())
  private let loop: EventLoop
  private let mailbox = PublishMailbox()
  private let handles = OpenHandles()
  private let asking: KafkaThread
  private let watching: KafkaThread
  private var side: PublishingSide?
  private var pipe: NoticePipe?
  private var timer: LoopTimer?

  private init(on loop: EventLoop) throws {
    self.loop = loop
    asking = try KafkaThread(answeringOn: loop)
    watching = try KafkaThread(answeringOn: loop)
  }

  static func with<T>(
    _ kafka: MockKafka, _ options: String = "", timeout: Duration = .seconds(20),
    _ body: (PublishingRig) async throws -> T
  ) async throws -> T {
    let url = try kafka.url(options)
    var configuration = KafkaBroadcast.Configuration()
    configuration.publishTimeout = timeout
    let properties = try KafkaProperties(url, configuration)
    return try await withEventLoops(count: 1) { loops in
      let rig = try PublishingRig(on: loops[0])
      let producer = try await blocking {
        Result { () throws(KafkaFailure) in try rig.handles.makeProducer(properties) }
      }.get()
      try await rig.onLoop { try rig.open(producer, url, properties, timeout) }
      let result: Result<T, any Error>
      do { result = .success(try await body(rig)) } catch { result = .failure(error) }
      await rig.close()
      return try result.get()
    }
  }

  private func onLoop<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      loop.execute { continuation.resume(with: Result { try body() }) }
    }
  }

  private func open(
    _ producer: ProducerHandle, _ url: KafkaURL, _ properties: KafkaProperties, _ timeout: Duration
  ) throws {
    let handles = handles
    let side = PublishingSide(
      producer, making: { Result { () throws(KafkaFailure) in try handles.makeProducer(properties) } },
      destroying: { handles.destroy($0.handle) }, asking: asking, watching: watching, url, timeout: timeout,
      PublishingSide.Session(
        heard: { [weak self] in self?.state.withLock { $0.heard += 1 } },
        probeRefused: { [weak self] number, failure in self?.state.withLock { $0.refusedProbes[number] = failure } },
        failed: { [weak self] failure in self?.state.withLock { $0.failures.append(failure) } },
        replaced: { [weak self] producer in
          self?.state.withLock { $0.producers += 1 }
          if let pipe = self?.pipe { producer.handle.enableNotices(by: pipe.writing) }
        },
        unusable: { [weak self] failure in self?.state.withLock { $0.unusable = failure } }), on: loop)
    self.side = side
    let pipe = try NoticePipe(on: loop) { side.reportsWait() }
    self.pipe = pipe
    producer.handle.enableNotices(by: pipe.writing)
    let timer = try LoopTimer(on: loop)
    self.timer = timer
    timer.start(after: .milliseconds(10), every: .milliseconds(10)) { [loop] in
      side.reportsWait()
      side.expire(now: loop.now)
    }
    mailbox.open { [self] in
      loop.execute { [self] in
        loop.atTurnEnd { [self] in side.publish(mailbox.takeAll(), deadline: loop.now + timeout) }
      }
    }
  }

  private func close() async {
    try? await onLoop { [self] in
      mailbox.close(because: .ended)
      side?.close(because: .ended)
      handles.disableNotices()
      pipe?.end()
      timer?.close()
    }
    await blocking { [handles] in handles.destroyAll() }
    asking.end()
    watching.end()
  }

  var told: Told { state.withLock { $0 } }

  // MARK: Calls

  func publish(_ messages: [Message]) async throws(BroadcastError) { try await mailbox.publish(messages) }

  func publish(_ text: String, to channel: Channel) async throws(BroadcastError) {
    try await publish([Message(text, to: channel)])
  }

  func probe(_ number: UInt64, to topic: String, partition: Int32) async throws {
    try await onLoop { [self] in
      side?.probePlace = PublishingSide.ProbePlace(topic: topic, partition: partition, key: Array("key".utf8))
      side?.probe(number)
    }
  }

  func remakeProbeTopic() async throws { try await onLoop { [self] in side?.remakeProbeTopic(as: NewTopics()) } }

  /// Returns once all questions that wait for the thread have their answers.
  func untilAsked() async {
    await withCheckedContinuation { continuation in
      asking.run {
      } then: {
        continuation.resume()
      }
    }
  }

  func renewProducer(atTopics count: Int) async throws { try await onLoop { [self] in side?.renewalSize = count } }

  func waitingCalls() async throws -> Int { try await onLoop { [self] in side?.table.waitingCalls ?? 0 } }

  /// Whether messages are on their way, and the turn of the loop in which they went is over.
  func hasSent() async throws -> Bool {
    try await onLoop { [self] in (side?.unreported ?? 0) > 0 && side?.touchedWindows.isEmpty == true }
  }

  /// Messages that the library has.
  func unreported() async throws -> Int { try await onLoop { [self] in side?.unreported ?? 0 } }

  func endOfCalls() async throws { try await onLoop { [self] in side?.close(because: .ended) } }

  /// Puts the producer in the state in which it can't go on (`rd_kafka_test_fatal_error`).
  func breakProducer() async throws {
    try await onLoop { [self] in
      _ = side?.producer.handle.use { rd_kafka_test_fatal_error($0, RD_KAFKA_RESP_ERR__FATAL, "a test") }
    }
  }
}
