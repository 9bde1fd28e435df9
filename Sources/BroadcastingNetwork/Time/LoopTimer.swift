//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

/// A timer of libuv, precise to a millisecond or so. For many sockets see ``Deadlines``.
package final class LoopTimer: LoopHandle {
  private var action: (() -> Void)?
  /// Called when the timer closes, also by the end of the loop.
  package var whenClosed: (() -> Void)?

  package init(on loop: EventLoop) throws(NetworkError) {
    try super.init(on: loop, uv_timer_t.self, for: "timer")
    uv_timer_init(loop.uv, pointer(as: uv_timer_t.self))
    register()
  }

  /// Calls `action` on the loop after `delay`, and then every `interval` if there is one. It replaces what was set.
  package func start(after delay: Duration, every interval: Duration? = nil, _ action: @escaping () -> Void) {
    if isClosed { return }
    self.action = action
    // Libuv counts from the time at which the turn began.
    uv_update_time(loop.uv)
    let interval = interval.map { max(1, $0.wholeMilliseconds) } ?? 0
    uv_timer_start(pointer(as: uv_timer_t.self), timerWentOff, delay.wholeMilliseconds, interval)
  }

  override func didClose() {
    action = nil
    whenClosed.take()?()
  }

  fileprivate func wentOff() { if !isClosed { action?() } }
}

private func timerWentOff(_ timer: UnsafeMutablePointer<uv_timer_t>?) {
  guard let data = timer?.pointee.data else { return }
  Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue().wentOff()
}
