//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

/// What a socket, a timer and the like have in common: memory that libuv uses until it has called back after the close.
/// It belongs to its loop and never leaves it.
package class LoopHandle {
  package let loop: EventLoop
  let raw: UnsafeMutablePointer<uv_handle_t>
  package private(set) var isClosed = false

  /// - Parameter type: the structure of libuv that the handle is, for the size of the memory.
  init<Handle>(on loop: EventLoop, _ type: Handle.Type, for purpose: String) throws(NetworkError) {
    assert(loop.isCurrent)
    self.loop = loop
    raw = UnsafeMutableRawPointer(UnsafeMutablePointer<Handle>.allocate(capacity: 1))
      .assumingMemoryBound(to: uv_handle_t.self)
    guard loop.isOpen else { throw .loopEnded(purpose) }
  }

  deinit { raw.deallocate() }

  func pointer<Handle>(as type: Handle.Type) -> UnsafeMutablePointer<Handle> {
    UnsafeMutableRawPointer(raw).assumingMemoryBound(to: Handle.self)
  }

  /// To be called once libuv knows the handle. From now on libuv holds the object, until the handle has closed.
  func register() {
    raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
    loop.handleCount += 1
  }

  static func from(_ handle: UnsafeMutablePointer<uv_handle_t>?) -> LoopHandle? {
    guard let data = handle?.pointee.data else { return nil }
    return Unmanaged<LoopHandle>.fromOpaque(data).takeUnretainedValue()
  }

  /// Ends the handle. A second call does nothing.
  package func close() {
    assert(loop.isCurrent)
    if isClosed { return }
    isClosed = true
    uv_close(raw, handleHasClosed)
  }

  /// Libuv is done with the handle.
  func didClose() {}
}

private func handleHasClosed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
  guard let data = handle?.pointee.data else { return }
  let closed = Unmanaged<LoopHandle>.fromOpaque(data).takeRetainedValue()
  closed.loop.handleCount -= 1
  closed.didClose()
}
