//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Waits until a descriptor that someone else owns can be read or written.
///
/// It has to be closed before the descriptor is.
package actor Readiness {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let descriptor: Int32
  private var handle: PollHandle?
  private var isClosed = false
  private var readers = Waiters()
  private var writers = Waiters()

  package init(of descriptor: Int32, on loop: EventLoop) {
    self.descriptor = descriptor
    self.loop = loop
  }

  /// Suspends the caller until the descriptor can be read, or has an error, which a read will tell.
  ///
  /// - Throws: ``NetworkError`` with `cancelled`, or with `closed` after ``close()`` or the loop's end.
  package func readable() async throws(NetworkError) { try await wait(for: .readable) }

  /// Suspends the caller until the descriptor can be written, or has an error, which a write will tell.
  ///
  /// - Throws: ``NetworkError`` with `cancelled`, or with `closed` after ``close()`` or the loop's end.
  package func writable() async throws(NetworkError) { try await wait(for: .writable) }

  /// Ends it and wakes all who wait. When this returns, the descriptor may be closed.
  package func close() {
    isClosed = true
    handle.take()?.close()
    readers.wakeAll()
    writers.wakeAll()
  }

  private func wait(for event: ReadyEvents) async throws(NetworkError) {
    try open()
    let ticket = event == .readable ? readers.newTicket() : writers.newTicket()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if Task.isCancelled || isClosed {
          continuation.resume()
        } else {
          if event == .readable { readers.add(continuation, ticket) } else { writers.add(continuation, ticket) }
          watch()
        }
      }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.cancel(ticket, event) } }
    }
    if Task.isCancelled {
      throw NetworkError(.cancelled, "readiness of descriptor \(descriptor): the task was cancelled")
    }
    if isClosed { throw NetworkError(.closed, "readiness of descriptor \(descriptor): it was closed") }
  }

  private func open() throws(NetworkError) {
    if isClosed { throw NetworkError(.closed, "readiness of descriptor \(descriptor): it was closed") }
    if handle != nil { return }
    let handle = try PollHandle(descriptor, on: loop) { events in self.isReady(events) }
    handle.whenClosed = { self.close() }
    self.handle = handle
  }

  private func isReady(_ events: ReadyEvents) {
    if events.contains(.readable) { readers.wakeAll() }
    if events.contains(.writable) { writers.wakeAll() }
    watch()
  }

  private func cancel(_ ticket: Waiters.Ticket, _ event: ReadyEvents) {
    if event == .readable { readers.wake(ticket) } else { writers.wake(ticket) }
    watch()
  }

  private func watch() {
    var events: ReadyEvents = []
    if !readers.isEmpty { events.insert(.readable) }
    if !writers.isEmpty { events.insert(.writable) }
    handle?.watch(events)
  }
}
