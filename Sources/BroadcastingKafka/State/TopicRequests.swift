//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

/// What the hub has asked for and waits for.
///
/// Questions to the cluster go out together, one batch after the other: what is asked meanwhile waits for the next. A caller
/// whose deadline passes is told so; an answer that comes after that finds nobody, and then nothing is begun.
struct TopicRequests<Waiter> {
  enum Kind: Sendable { case subscribe, unsubscribe, catchUp }

  struct Request {
    let number: UInt64
    let kind: Kind
    let channel: Channel
    let deadline: LoopInstant
    fileprivate let waiter: Waiter
  }

  private var requests: [UInt64: Request] = [:]
  private var lastNumber: UInt64 = 0
  /// None is older.
  private var oldest: UInt64 = 1
  /// Are to be asked.
  private var waiting: [UInt64] = []
  private var isAsking = false

  private static var mostAtOnce: Int { 1_024 }

  /// When to call ``expire(now:)`` next, or nil while nobody waits.
  var nextDeadline: LoopInstant? { requests[oldest]?.deadline }

  /// - Parameter deadline: Not before that of the request before.
  mutating func add(_ kind: Kind, _ channel: Channel, deadline: LoopInstant, _ waiter: Waiter) -> UInt64 {
    lastNumber += 1
    requests[lastNumber] = Request(
      number: lastNumber, kind: kind, channel: channel, deadline: deadline, waiter: waiter)
    skip()
    return lastNumber
  }

  /// It goes with the next batch.
  mutating func ask(_ number: UInt64) { waiting.append(number) }

  subscript(_ number: UInt64) -> Request? { requests[number] }

  /// Returns what is to be asked now; nothing while the answer to the last batch is out.
  mutating func nextBatch() -> [Request] {
    guard !isAsking else { return [] }
    // Some have gone meanwhile.
    waiting.removeAll { requests[$0] == nil }
    let batch = waiting.prefix(Self.mostAtOnce).compactMap { requests[$0] }
    waiting.removeFirst(batch.count)
    isAsking = !batch.isEmpty
    return batch
  }

  /// The batch is answered.
  mutating func answered() { isAsking = false }

  /// It is over. Returns who waits, if still.
  mutating func end(_ number: UInt64) -> Waiter? {
    defer { skip() }
    return requests.removeValue(forKey: number)?.waiter
  }

  /// Returns those whose time is over.
  mutating func expire(now: LoopInstant) -> [(request: Request, waiter: Waiter)] {
    var late: [(Request, Waiter)] = []
    while let request = requests[oldest], request.deadline <= now {
      requests[oldest] = nil
      late.append((request, request.waiter))
      skip()
    }
    return late
  }

  /// The session is over. Returns all who wait.
  mutating func removeAll() -> [Waiter] {
    defer { self = TopicRequests() }
    return requests.values.map(\.waiter)
  }

  private mutating func skip() {
    while oldest < lastNumber, requests[oldest] == nil { oldest += 1 }
  }
}
