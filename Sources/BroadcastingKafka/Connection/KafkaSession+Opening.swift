//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

extension KafkaSession {
  /// The partitions of the topic for probes, where it has to be made: processes share them, and each wakes all that read the
  /// same one. Nobody reads a probe later, so they are thrown away soon.
  private static let probeTopics = NewTopics(
    partitions: 4,
    settings: [
      "cleanup.policy": "delete", "retention.ms": "60000", "segment.ms": "60000", "segment.bytes": "1048576",
    ])

  private typealias Handles = (consumer: ConsumerHandle, producer: ProducerHandle)

  /// Makes the handles, and the way for probes. Returns at once; the first probe says that it has worked.
  func open(_ asking: KafkaThread, _ watching: KafkaThread) {
    let (handles, properties, hint) = (handles, properties, calls.hint)
    watching.run { () -> Result<Handles, KafkaFailure> in
      do throws(KafkaFailure) {
        return .success((try handles.makeConsumer(properties, hint: hint), try handles.makeProducer(properties)))
      } catch {
        return .failure(error)
      }
    } then: { [weak self] made in
      guard let self, failure == nil else { return }
      switch made {
      case .failure(let failure): fail(KafkaError.connecting(failure, to: url.servers))
      case .success(let (consumer, producer)):
        use(consumer, producer, asking, watching)
        findProbeEnd(asking, Inquiries(producer, consumer))
      }
    }
  }

  // MARK: The two sides

  /// Both handles are there.
  private func use(
    _ consumer: ConsumerHandle, _ producer: ProducerHandle, _ asking: KafkaThread, _ watching: KafkaThread
  ) {
    guard let stopping else { return }
    self.consumer = consumer
    publishing = PublishingSide(
      producer,
      making: { [handles, properties] in Result { () throws(KafkaFailure) in try handles.makeProducer(properties) } },
      destroying: { [handles] in handles.destroy($0.handle) }, asking: asking, watching: watching, url,
      timeout: configuration.publishTimeout,
      PublishingSide.Session(
        heard: { [weak self] in self?.heardPublishing() },
        probeRefused: { [weak self] in self?.probeRefused($0, $1) },
        failed: { [weak self] in self?.libraryFailed($0, .producer) },
        replaced: { [weak self] in self?.enableNotices($0.handle) },
        unusable: { [weak self, url] in self?.fail(KafkaError.connecting($0, to: url.servers)) }),
      on: loop)
    listening = ListeningSide(
      consumer, asking: asking, watching: watching, stopping: stopping,
      { [weak self] in Inquiries(self?.publishing?.producer ?? producer, consumer) },
      sharedTopic: url.topic, newTopics: url.newTopics, timeout: configuration.subscribeTimeout,
      maximumTopics: configuration.maximumTopics,
      ListeningSide.Session(
        inbox: inbox,
        probeArrived: { [weak self] in self?.probeArrived($0) },
        probeUnreadable: { [weak self] in self?.probeUnreadable($0) },
        failed: { [weak self] in self?.libraryFailed($0, .consumer) },
        heard: { [weak self] in self?.heardListening() },
        leftOut: { [configuration] in configuration.hub.onEvent?(BroadcastEvent(.dropped, error: $0)) },
        clusterChanged: { [weak self, url] in self?.fail(KafkaError.exchanged(url.servers)) },
        exhausted: { [weak self] in self?.fail($0) }),
      on: loop)
    enableNotices(producer.handle)
    enableNotices(consumer.handle)
  }

  private func enableNotices(_ handle: KafkaHandle) {
    guard failure == nil, let notices else { return }
    handle.enableNotices(by: notices.writing)
    // What came before has no byte in the pipe.
    loop.inNextTurn { [weak self] in self?.queuesWait() }
  }

  // MARK: Probes

  private var newProbeTopic: NewTopics? {
    guard let wanted = url.newTopics else { return nil }
    var topic = Self.probeTopics
    topic.replication = wanted.replication
    return topic
  }

  /// Somebody has deleted it. What reads it goes on by itself once it is there.
  func remakeProbeTopic() {
    if let settings = newProbeTopic { publishing?.remakeProbeTopic(as: settings) }
  }

  private struct ProbeEnd: Sendable {
    /// The cluster makes no topics as they are wanted.
    var refusal: KafkaFailure?
    var ends: Result<[Int64], KafkaFailure>
  }

  private func findProbeEnd(_ asking: KafkaThread, _ inquiries: Inquiries) {
    let (topic, settings, end) = (url.probeTopic, newProbeTopic, ContinuousClock.now + configuration.connectTimeout)
    // Without a word of them the cluster's own hold.
    let wanted = url.newTopics.flatMap { $0 == NewTopics() ? nil : $0 }
    asking.run { () -> ProbeEnd in
      let missing = Result<Int, KafkaFailure>.failure(KafkaFailure(.unknownTopic))
      let ready = inquiries.ready([topic], creating: settings, until: end)[topic] ?? missing
      if let refusal = ready.isAnswer ? wanted.flatMap({ inquiries.refusal(of: $0, like: topic, until: end) }) : nil {
        return ProbeEnd(refusal: refusal, ends: .failure(refusal))
      }
      return ProbeEnd(
        ends: ready.flatMap { inquiries.ends([topic: $0], until: end)[topic] ?? .failure(KafkaFailure(.unknownTopic)) })
    } then: { [weak self] found in
      guard let self, failure == nil else { return }
      if let refusal = found.refusal, let wanted {
        return fail(KafkaError.settings(refusal, of: wanted, at: url.servers))
      }
      listening?.noteCluster(inquiries.clusterID())
      beginProbes(found.ends)
    }
  }

  private func beginProbes(_ ends: Result<[Int64], KafkaFailure>) {
    do throws(KafkaFailure) {
      let ends = try ends.get()
      guard let partition = ends.indices.randomElement() else { throw KafkaFailure(.unknownTopic) }
      let place = PublishingSide.ProbePlace(
        topic: url.probeTopic, partition: Int32(partition),
        key: Array(String(UInt64.random(in: 0 ... .max), radix: 16).utf8))
      try listening?.startProbe(place.topic, partition: place.partition, at: ends[partition], key: place.key)
      heardPublishing()
      beginProbes(at: place)
    } catch {
      // Where nobody answers, the availability knows more about why, and ends the session when its time is over.
      guard !error.code.meansTimedOut, error.code != .transport else { return }
      fail(KafkaError.probing(error.lasting(unless: url.newTopics), topic: url.probeTopic, at: url.servers))
    }
  }
}

extension Result<Int, KafkaFailure> {
  /// Whether the cluster has told something.
  fileprivate var isAnswer: Bool {
    switch self {
    case .success: true
    case .failure(let failure): failure.concernsCreation
    }
  }
}
