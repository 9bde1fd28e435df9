//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Who a stream belongs to. All calls come on the stream's loop, and never from within a call of the stream's methods,
/// so that a delegate needs no guard against itself.
package protocol StreamDelegate: AnyObject {
  /// Bytes came. They lie in the loop's own buffer and are gone after the call.
  func received(_ bytes: UnsafeRawBufferPointer)

  /// Something had to wait and has now gone to the kernel, all of it.
  func drained()

  /// Nothing more will come. With no error the peer has finished, and may still be written to. With an error nothing
  /// can be written either: close the stream.
  func ended(_ error: NetworkError?)

  /// The stream is closed, by its owner or by the end of its loop. This is the last call.
  func closed()
}

/// A connection as its user sees it: bytes in, bytes out, in order. A stream belongs to one loop and never leaves it.
///
/// It neither buffers what came nor refuses to take what can't go yet: the owner reads only while it has room, and
/// writes again only when ``StreamDelegate/drained()`` came, or counts ``pendingBytes``.
package protocol ByteStream: AnyObject {
  var loop: EventLoop { get }

  /// Retained until the stream has closed, which breaks the circle of stream and owner.
  var delegate: (any StreamDelegate)? { get set }

  /// Whether it can still be written to: not closed, finished or failed.
  var isWritable: Bool { get }

  /// Starts reading, or goes on. A second call does nothing.
  func startReading()

  /// Stops reading: the peer is held up as soon as the kernel's buffers are full. Start and stop cost a system call
  /// each, so stop when bytes came that nobody waits for, not after each read.
  func stopReading()

  /// Writes `bytes`. What the kernel doesn't take at once is kept by reference.
  ///
  /// - Returns: false if something waits and ``StreamDelegate/drained()`` will come. True if there is nothing to wait
  ///   for: all of it went, or the stream can't be written to.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool

  /// Writes several arrays as if they were one, in one system call where that is possible.
  @discardableResult
  func write(_ segments: ArraySlice<[UInt8]>) -> Bool

  /// Bytes that wait for the kernel to take them.
  var pendingBytes: Int { get }

  /// How many bytes of all those written the peer's kernel has acknowledged: it grows as long as the peer takes
  /// something. It costs a system call.
  var bytesTaken: UInt64 { get }

  /// Ends our side, after what waits has gone: the peer reads to the end.
  func finish()

  /// Closes at once. What waits is dropped.
  func close()

  /// Closes at once, and the peer is told by a reset; also what the kernel has not yet delivered is dropped.
  func reset()

  var peerAddress: SocketAddress? { get }
  var localAddress: SocketAddress? { get }
}
