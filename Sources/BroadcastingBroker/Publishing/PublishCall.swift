//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

package import Broadcasting

/// One call of `publish` on its way to the broker: its messages, and the caller who waits.
package struct PublishCall: Sendable {
  package private(set) var messages: [Message]
  // Resumed once: by whoever takes the call out of the place where it waits.
  private let caller: UnsafeContinuation<Result<[Receipt], BroadcastError>, Never>

  init(_ messages: [Message], _ caller: UnsafeContinuation<Result<[Receipt], BroadcastError>, Never>) {
    self.messages = messages
    self.caller = caller
  }

  /// The broker has its messages, or won't have them.
  ///
  /// - Parameter receipts: One for each message, or none at all where no message has a position.
  func end(_ error: BroadcastError?, _ receipts: [Receipt] = []) {
    caller.resume(returning: error.map { .failure($0) } ?? .success(receipts))
  }

  /// Lets go of the messages, which nobody will send any more: a call may stay in its place for a while.
  ///
  /// Done before the caller is woken it leaves them to the caller alone: memory is best given back by the thread that took
  /// it, since others wait for each other there.
  mutating func dropMessages() { messages = [] }
}
