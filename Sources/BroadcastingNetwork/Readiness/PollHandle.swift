//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

/// What a descriptor is ready for.
package struct ReadyEvents: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let readable = ReadyEvents(rawValue: 1)
  package static let writable = ReadyEvents(rawValue: 2)

  fileprivate init(uv events: Int32) {
    self = []
    if events & Int32(UV_READABLE.rawValue) != 0 { insert(.readable) }
    if events & Int32(UV_WRITABLE.rawValue) != 0 { insert(.writable) }
  }

  fileprivate var uv: Int32 {
    (contains(.readable) ? Int32(UV_READABLE.rawValue) : 0) | (contains(.writable) ? Int32(UV_WRITABLE.rawValue) : 0)
  }
}

/// Tells when a descriptor that someone else owns, such as a database's library, is ready. It calls back as long as
/// the descriptor is ready, not only when it becomes so. For `await` see ``Readiness``.
///
/// One handle for a descriptor at a time, closed before the descriptor is. Right after ``LoopHandle/close()`` the
/// descriptor may be closed too.
package final class PollHandle: LoopHandle {
  private var watched: ReadyEvents = []
  private var onReady: ((ReadyEvents) -> Void)?
  /// Called when the handle closes, also by the end of the loop.
  package var whenClosed: (() -> Void)?

  /// - Parameter onReady: is called on the loop. An error of the descriptor counts as ready for all, once: the next
  ///   call on the descriptor tells which, and ``watch(_:)`` has to be called again.
  package init(
    _ descriptor: Int32, on loop: EventLoop, onReady: @escaping (ReadyEvents) -> Void
  ) throws(NetworkError) {
    try super.init(on: loop, uv_poll_t.self, for: "readiness of descriptor \(descriptor)")
    let status = uv_poll_init(loop.uv, pointer(as: uv_poll_t.self), descriptor)
    guard status == 0 else { throw NetworkError("readiness of descriptor \(descriptor)", status: status) }
    self.onReady = onReady
    register()
  }

  /// Watches for `events` from now on. With none it pauses, and costs nothing.
  package func watch(_ events: ReadyEvents) {
    if isClosed || events == watched { return }
    watched = events
    if events.isEmpty {
      uv_poll_stop(pointer(as: uv_poll_t.self))
    } else {
      uv_poll_start(pointer(as: uv_poll_t.self), events.uv, descriptorIsReady)
    }
  }

  override func didClose() {
    onReady = nil
    whenClosed.take()?()
  }

  fileprivate func isReady(_ status: Int32, _ events: Int32) {
    if isClosed { return }
    if status == 0 {
      onReady?(ReadyEvents(uv: events))
    } else {
      // Libuv has stopped the handle.
      watched = []
      onReady?([.readable, .writable])
    }
  }
}

private func descriptorIsReady(_ handle: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32) {
  guard let data = handle?.pointee.data else { return }
  Unmanaged<PollHandle>.fromOpaque(data).takeUnretainedValue().isReady(status, events)
}
