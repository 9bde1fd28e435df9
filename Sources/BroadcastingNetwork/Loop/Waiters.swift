//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Suspended callers of one object of a loop, oldest first. Each has a ticket, because a cancellation that comes from
/// another thread may arrive when its waiter has long been woken and another one sleeps in its place.
///
/// A task that does not prefer the loop leaves it for a moment at each `await`, also before it sleeps and after it was
/// woken. So what it waits for is looked at once more where it is added, and again when it is back.
struct Waiters {
  typealias Ticket = UInt64
  private var sleeping: [(ticket: Ticket, continuation: UnsafeContinuation<Void, Never>)] = []
  private var lastTicket: Ticket = 0

  var isEmpty: Bool { sleeping.isEmpty }

  mutating func newTicket() -> Ticket {
    lastTicket += 1
    return lastTicket
  }

  mutating func add(_ continuation: UnsafeContinuation<Void, Never>, _ ticket: Ticket) {
    sleeping.append((ticket, continuation))
  }

  mutating func wake(_ ticket: Ticket) {
    guard let index = sleeping.firstIndex(where: { $0.ticket == ticket }) else { return }
    sleeping.remove(at: index).continuation.resume()
  }

  mutating func wakeFirst() {
    if !sleeping.isEmpty { sleeping.removeFirst().continuation.resume() }
  }

  mutating func wakeAll() {
    let woken = sleeping
    sleeping = []
    for waiter in woken { waiter.continuation.resume() }
  }
}
