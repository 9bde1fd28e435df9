//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

extension ListeningSide {
  /// What one turn of reading brings, until it is handed on.
  struct Arrival {
    /// Of one channel, that came one behind the other.
    var channel = Channel("")
    var deliveries: [Delivery] = []
    var probes: [UInt64] = []
    var failures: [(place: PartitionPlace, failure: KafkaFailure)] = []
    var restarts: [PartitionPlace] = []
    var isReading = false
    var hasToldImpossible = false
    var lastLoss: LoopInstant?
  }

  /// A partition of a topic that is read.
  struct PartitionPlace: Sendable {
    var slot: Int
    var partition: Int32
  }

  /// So many batches of 256 are read before the loop sees to other things.
  private static var batchesAtOnce: Int { 16 }
  private static var pauseOfLosses: Duration { .seconds(1) }

  /// There may be records.
  func recordsWait() {
    if arrival.isReading || isClosed { return }
    noteTime()
    read()
  }

  private func read() {
    arrival.isReading = true
    // What they mean for a place counts before anything is read that came later.
    while !isClosed, let failure = consumer.handle.nextFailure() { session.failed(failure) }
    var (left, hasMore, hasHeard) = (Self.batchesAtOnce, true, false)
    while hasMore, left > 0, !isClosed {
      left -= 1
      hasMore = consumer.read { records in
        hasHeard = hasHeard || records.count > 0
        take(records)
      }
    }
    settleArrival()
    if hasHeard, !isClosed { session.heard() }
    guard hasMore, !isClosed else {
      arrival.isReading = false
      return
    }
    loop.inNextTurn { [weak self] in self?.read() }
  }

  /// What is not to be done within a read.
  private func settleArrival() {
    resumeReached()
    restart(arrival.restarts)
    let (probes, failures) = (arrival.probes, arrival.failures)
    (arrival.probes, arrival.failures, arrival.restarts) = ([], [], [])
    for number in probes where !isClosed { session.probeArrived(number) }
    for (place, failure) in failures where !isClosed { failed(place, failure) }
    if !isClosed { verificationsMayEnd() }
  }

  private func take(_ records: borrowing Records) {
    // Neighbours of one partition: the last of them is what it is known again by.
    var last: (index: Int, place: PartitionPlace)?
    for index in 0..<records.count {
      let record = records[index]
      let place = PartitionPlace(slot: record.slot, partition: record.partition)
      if !waitingForRead.isEmpty, record.code == nil || record.code == .endOfPartition { isReadable(place.slot) }
      guard record.code == nil else {
        told(record, place)
        continue
      }
      var verdict = table.message(place.slot, place.partition, record.offset)
      if verdict == .jumps {
        mayHaveMissed(place)
        verdict = table.message(place.slot, place.partition, record.offset)
      }
      switch verdict {
      case .old, .jumps: continue
      case .checks:
        if !table.checked(place.slot, place.partition, Fingerprint(record)) { replaced(place) }
      case .deliver:
        if let last, last.place.slot != place.slot || last.place.partition != place.partition {
          table.note(last.place.slot, last.place.partition, Fingerprint(records[last.index]))
        }
        last = (index, place)
        deliver(record, place)
      }
    }
    if let last { table.note(last.place.slot, last.place.partition, Fingerprint(records[last.index])) }
    handOn()
  }

  private func deliver(_ record: RecordView, _ place: PartitionPlace) {
    switch topics[place.slot].role {
    case .channel(let channel): add(record, channel)
    case .shared:
      switch shared.target(record.key, place.partition, record.offset) {
      case .channel(let channel): add(record, channel)
      case .nobody: break
      case .impossible:
        if arrival.hasToldImpossible { return }
        arrival.hasToldImpossible = true
        session.leftOut(KafkaError.noChannel(in: table.name(of: place.slot)))
      }
    case .probe(let key):
      guard record.key.elementsEqual(key), let number = UInt64(String(decoding: record.value, as: UTF8.self)) else {
        return
      }
      arrival.probes.append(number)
    }
  }

  private func add(_ record: RecordView, _ channel: Channel) {
    if !arrival.deliveries.isEmpty, arrival.channel != channel { handOn() }
    if arrival.deliveries.isEmpty { arrival.channel = channel }
    arrival.deliveries.append(
      .message(KafkaMessage.decode(Array(record.value), record.headers(), channel: channel)))
  }

  private func handOn() {
    if arrival.deliveries.isEmpty { return }
    session.inbox.received(deliveries: arrival.deliveries, on: arrival.channel)
    arrival.deliveries.removeAll(keepingCapacity: true)
  }

  /// What the library says in place of a record.
  private func told(_ record: RecordView, _ place: PartitionPlace) {
    if record.code == .endOfPartition {
      switch table.reached(place.slot, place.partition, record.offset) {
      case .fine: break
      case .shorter: replaced(place)
      case .jumps: mayHaveMissed(place)
      }
      return
    }
    let failure = KafkaFailure(record.code ?? .none, String(decoding: record.value, as: UTF8.self))
    if failure.code == .autoOffsetReset { table.failed(place.slot, place.partition) }
    arrival.failures.append((place, failure))
  }

  /// The last record is another, or the log ends before it: what came in between is lost.
  private func replaced(_ place: PartitionPlace) {
    mayHaveMissed(place)
    arrival.restarts.append(place)
  }

  /// The last record is not there to be compared.
  private func mayHaveMissed(_ place: PartitionPlace) {
    handOn()
    tellGap(nil, place.slot, because: KafkaError.replaced(table.name(of: place.slot)))
  }

  func tellGap(_ missed: Int?, _ slot: Int, because error: BroadcastError?) {
    switch topics[slot].role {
    case .channel(let channel): session.inbox.missed(missed, on: channel)
    // Of how many of them each channel's were nobody knows.
    case .shared: for channel in shared.channels { session.inbox.missed(nil, on: channel) }
    // A probe that is missing tells by itself.
    case .probe: return
    }
    guard let error else { return }
    // All topics of a cluster may lose messages at once.
    let now = loop.now
    if let last = arrival.lastLoss, now - last < Self.pauseOfLosses { return }
    arrival.lastLoss = now
    session.leftOut(error)
  }

  private func failed(_ place: PartitionPlace, _ failure: KafkaFailure) {
    if failure.code == .autoOffsetReset { return look() }
    guard topics.indices.contains(place.slot) else { return hint() }
    if failure.code.meansNoRight { return refused(place.slot, failure) }
    let isLasting = failure.code.meansUnreadable
    let times = table.trouble(place.slot, place.partition, isLasting: isLasting)
    if times == 2, isLasting || !failure.code.isRetriable {
      session.leftOut(
        KafkaError.unreadable(
          failure, topic: table.name(of: place.slot), partition: place.partition, isLasting: isLasting))
    }
    lookSoon()
  }

  /// Reads partitions at the places that the table has for them.
  func restart(_ places: [PartitionPlace]) {
    if places.isEmpty { return }
    let handles = places.map { (topics[$0.slot].handle, $0.partition) }
    stopping.run { [consumer] in
      for (handle, partition) in handles { consumer.stop(handle, partition: partition) }
    } then: { [weak self] in
      self?.stoppedForRestart(places)
    }
  }

  private func stoppedForRestart(_ places: [PartitionPlace]) {
    if isClosed { return }
    for place in places {
      // Nobody may want it any more.
      guard let offset = table.restart(place.slot, Int(place.partition)) else { continue }
      do throws(KafkaFailure) {
        try consumer.start(topics[place.slot].handle, partition: place.partition, at: offset)
      } catch {
        lost(place.slot, because: KafkaError.subscribing(error, topic: table.name(of: place.slot)))
      }
    }
  }
}
