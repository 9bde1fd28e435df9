//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What a check throws; the suite adds the chapter.
struct Broken: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

func expect(_ isKept: Bool, _ message: @autoclosure () -> String) throws {
  if !isKept { throw Broken(message()) }
}

/// Expects a call to fail with a code.
func expectFailure(_ code: BroadcastError.Code, of what: String, _ call: () async throws -> Void) async throws {
  do {
    try await call()
  } catch let error as BroadcastError {
    return try expect(error.code == code, "\(what) failed with \(error.code) instead of \(code).")
  }
  throw Broken("\(what) succeeded; it has to fail with \(code).")
}

/// A channel that no other run uses, since brokers outlive a run.
func freshChannel(_ name: String = "") -> Channel {
  Channel("conformance.\(name).\(UInt64.random(in: 0 ... .max))")
}

/// Waits for something that is not announced, and so can only be looked for. The chapter's time limit ends it.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
  while !(try await condition()) {
    if Task.isCancelled { throw Broken("\(what) did not happen in time.") }
    // Fails only when the task is cancelled, which the loop sees.
    try? await Task.sleep(for: .milliseconds(1))
  }
}

extension Subscription.Iterator {
  /// Reads so many deliveries.
  mutating func read(_ count: Int) async throws -> [Delivery] {
    var deliveries: [Delivery] = []
    while deliveries.count < count {
      guard let delivery = try await next() else {
        throw Broken("\(deliveries.count) of \(count) deliveries came in time.")
      }
      deliveries.append(delivery)
    }
    return deliveries
  }

  /// Reads so many messages, and takes a gap for an error.
  mutating func messages(_ count: Int) async throws -> [Message] {
    try await read(count).map { delivery throws in
      guard case .message(let message) = delivery else { throw Broken("There is a gap: \(delivery).") }
      return message
    }
  }
}
