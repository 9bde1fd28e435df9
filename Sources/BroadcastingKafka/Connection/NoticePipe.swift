//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A pipe to which librdkafka writes a byte when a queue has something, so that a loop which waits for sockets hears of it.
final class NoticePipe {
  private let reading: Int32
  /// Where the bytes go in. A pipe that is full loses some: one is enough.
  let writing: Int32
  private let poll: PollHandle

  /// - Parameter onNotice: is called on the loop, when the bytes have been taken out.
  init(on loop: EventLoop, onNotice: @escaping () -> Void) throws(NetworkError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw NetworkError(.system, "A pipe could not be made.", errno: errno) }
    for end in ends {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    let reading = ends[0]
    do throws(NetworkError) {
      poll = try PollHandle(reading, on: loop) { _ in
        Self.empty(reading)
        onNotice()
      }
    } catch {
      for end in ends { close(end) }
      throw error
    }
    self.reading = reading
    writing = ends[1]
    poll.watch(.readable)
  }

  private static func empty(_ descriptor: Int32) {
    // Each queue has a byte in it at most. What is left comes with the next turn.
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { _ = read(descriptor, $0.baseAddress, $0.count) }
  }

  /// After it nothing may write to it.
  func end() {
    guard !poll.isClosed else { return }
    poll.close()
    close(reading)
    close(writing)
  }
}
