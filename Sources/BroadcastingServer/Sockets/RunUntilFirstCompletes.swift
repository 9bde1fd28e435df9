//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Runs operations side by side until the first completes, cancels the others, and waits until they have ended too.
///
/// A socket's handler is most often such a race: one task receives what the client sends, another one sends what the
/// client subscribed to, and when either is done so is the socket.
///
/// ```swift
/// try await runUntilFirstCompletes(
///   { while let message = try await socket.receive() { try await broadcast.publish(message.text, to: "chat") } },
///   { try await feed.deliver(to: socket) }
/// )
/// ```
///
/// Cancelling the calling task cancels all of them. An operation that ignores its cancellation holds up the return.
///
/// - Throws: What the first to complete throws. Errors of the others, which are cancelled by then, are dropped.
public func runUntilFirstCompletes(
  _ operations: (@isolated(any) @Sendable () async throws -> Void)...
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for operation in operations { group.addTask(operation: operation) }
    // Leaving the scope awaits the rest; they have to know that it is over.
    defer { group.cancelAll() }
    try await group.next()
  }
}
