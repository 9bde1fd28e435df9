//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// What was asked on the line that listens and has not been answered, oldest first: the server answers in this order.
///
/// A caller whose deadline passes is told so, and the request keeps its place. When the answer to a subscription comes after
/// that, nobody wants it any more, and it has to be undone, unless the same has been asked for again.
struct SubscriptionRequests<Waiter> {
  enum Kind { case subscribe, unsubscribe }

  /// A channel or a pattern, as bytes.
  struct Subject: Hashable {
    var name: [UInt8]
    var isPattern = false
  }

  enum Confirmation {
    /// The caller has what it asked for.
    case done(Waiter)
    /// The caller has gone, and nothing needs to be done.
    case late
    /// The caller has gone: unsubscribe from what it had asked for.
    case unwanted
    /// This is no answer to what was asked.
    case unexpected
  }

  private struct Request {
    var kind: Kind
    var subject: Subject
    var deadline: LoopInstant
    /// Nil when the caller has been told that its time is over, and where nobody waits.
    var waiter: Waiter?
  }

  private var requests: [Request] = []
  /// Requests before it are answered.
  private var first = 0
  /// Requests before it have nobody who waits.
  private var firstWaiting = 0
  /// The number of the first in `requests`, counted from the beginning.
  private var base = 0
  /// The number of the last request for each subject that has one without an answer.
  private var newest: [Subject: Int] = [:]

  var isEmpty: Bool { first == requests.count }

  /// When to call ``expire(now:)`` next, or nil while nobody waits.
  var nextDeadline: LoopInstant? { firstWaiting < requests.count ? requests[firstWaiting].deadline : nil }

  /// - Parameter deadline: Not before that of the request before.
  mutating func add(_ kind: Kind, _ subject: Subject, deadline: LoopInstant, _ waiter: Waiter?) {
    newest[subject] = base + requests.count
    requests.append(Request(kind: kind, subject: subject, deadline: deadline, waiter: waiter))
    if waiter == nil { skip() }
  }

  /// The server has confirmed something.
  mutating func confirmed(_ kind: Kind, _ subject: Subject) -> Confirmation {
    guard let request = requests[first...].first, request.kind == kind, request.subject == subject else {
      return .unexpected
    }
    let isNewest = removeFirst()
    if let waiter = request.waiter { return .done(waiter) }
    if kind == .unsubscribe { return .late }
    // What was asked for last about the same is what counts.
    return isNewest ? .unwanted : .late
  }

  /// The server has refused the oldest request. Returns it, or nil where there is none.
  mutating func refused() -> (subject: Subject, waiter: Waiter?)? {
    guard let request = requests[first...].first else { return nil }
    removeFirst()
    return (request.subject, request.waiter)
  }

  /// Whether something has been asked for about the same that has no answer yet.
  func hasRequest(for subject: Subject) -> Bool { newest[subject] != nil }

  /// Returns the callers whose time is over.
  mutating func expire(now: LoopInstant) -> [Waiter] {
    var late: [Waiter] = []
    while firstWaiting < requests.count, requests[firstWaiting].deadline <= now {
      if let waiter = requests[firstWaiting].waiter.take() { late.append(waiter) }
      skip()
    }
    return late
  }

  /// The session is over. Returns all who wait.
  mutating func removeAll() -> [Waiter] {
    defer { self = SubscriptionRequests() }
    return requests[first...].compactMap(\.waiter)
  }

  /// Returns whether nothing has been asked for since about the same.
  @discardableResult
  private mutating func removeFirst() -> Bool {
    let subject = requests[first].subject
    let isNewest = newest[subject] == base + first
    if isNewest { newest[subject] = nil }
    requests[first].waiter = nil
    first += 1
    if first == requests.count {
      base += first
      requests.removeAll(keepingCapacity: requests.capacity <= 1_024)
      (first, firstWaiting) = (0, 0)
    } else if first > 1_024, first > requests.count / 2 {
      base += first
      requests.removeFirst(first)
      firstWaiting -= min(firstWaiting, first)
      first = 0
    }
    skip()
    return isNewest
  }

  private mutating func skip() {
    firstWaiting = max(firstWaiting, first)
    while firstWaiting < requests.count, requests[firstWaiting].waiter == nil { firstWaiting += 1 }
  }
}
