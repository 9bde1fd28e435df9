//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A TCP connection, or one of a Unix socket: ``ByteStream`` over libuv.
package final class SocketStream: LoopHandle, ByteStream {
  package var delegate: (any StreamDelegate)?
  package let family: SocketAddress.Family

  /// -1 before there is a connection.
  private(set) var descriptor: Int32 = -1
  private var pending = PendingWrites()
  /// Bytes in the one request of libuv that may be under way; they are the first of `pending`.
  private var requested = 0
  private var handedToKernel: UInt64 = 0
  private var isReading = false
  private var sawEnd = false
  private var isFinishing = false
  private var hasFailed = false

  /// A stream without a socket as yet, for the listener and the connector.
  init(on loop: EventLoop, family: SocketAddress.Family) throws(NetworkError) {
    self.family = family
    let status: Int32
    if family == .unix {
      try super.init(on: loop, uv_pipe_t.self, for: "socket")
      status = uv_pipe_init(loop.uv, pointer(as: uv_pipe_t.self), 0)
    } else {
      try super.init(on: loop, uv_tcp_t.self, for: "socket")
      status = uv_tcp_init(loop.uv, pointer(as: uv_tcp_t.self))
    }
    if status != 0 { throw NetworkError("could not make a socket", status: status) }
    register()
    // What is written goes at once: batches are made by whoever writes, not by the kernel's waiting (RFC 9293, 3.7.4).
    if family != .unix { uv_tcp_nodelay(pointer(as: uv_tcp_t.self), 1) }
  }

  private var stream: UnsafeMutablePointer<uv_stream_t> { pointer(as: uv_stream_t.self) }

  /// Takes a connected descriptor over, also the duty to close it.
  func open(_ descriptor: Int32) -> Int32 {
    let status =
      family == .unix
      ? uv_pipe_open(pointer(as: uv_pipe_t.self), descriptor) : uv_tcp_open(pointer(as: uv_tcp_t.self), descriptor)
    if status == 0 { self.descriptor = descriptor } else { systemClose(descriptor) }
    return status
  }

  /// Connects, and calls `completion` with the status: at once or later, but always. A close cancels it.
  func connect(to address: SocketAddress, _ completion: @escaping (Int32) -> Void) {
    let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
    let found = ConnectCompletion { [self] status in
      findDescriptor()
      completion(status)
    }
    request.pointee.data = Unmanaged.passRetained(found).toOpaque()
    if address.family == .unix {
      uv_pipe_connect(request, pointer(as: uv_pipe_t.self), address.host, streamHasConnected)
      return
    }
    let status = address.withSockaddr { name, _ in
      uv_tcp_connect(request, pointer(as: uv_tcp_t.self), name, streamHasConnected)
    }
    if status != 0 { streamHasConnected(request, status) }
  }

  // MARK: Reading

  package func startReading() {
    if isReading || isClosed || sawEnd || hasFailed { return }
    isReading = true
    let status = uv_read_start(stream, streamNeedsBuffer, streamHasRead)
    if status != 0 { fail("read", status) }
  }

  package func stopReading() {
    if !isReading { return }
    isReading = false
    uv_read_stop(stream)
  }

  func hasRead(_ count: Int) {
    if count > 0 {
      delegate?.received(UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]))
    } else if count == Int(UV_EOF.rawValue) {
      isReading = false
      sawEnd = true
      delegate?.ended(nil)
    } else if count < 0 {
      fail("read", Int32(count))
    }
  }

  // MARK: Writing

  package var isWritable: Bool { !(isClosed || hasFailed || isFinishing) }
  package var pendingBytes: Int { pending.byteCount }

  @discardableResult
  package func write(_ bytes: [UInt8]) -> Bool {
    guard isWritable, !bytes.isEmpty else { return true }
    if pending.byteCount > 0 {
      pending.append(bytes)
      return false
    }
    // The usual case, without a list of what waits. Libuv has nothing to write then, so the order is kept without it; it
    // would call write(2), which costs 6 % more than send(2) here.
    let taken = bytes.withUnsafeBytes { SocketOptions.send(descriptor, $0) }
    if taken == bytes.count {
      handedToKernel += UInt64(taken)
      return true
    }
    pending.append(bytes)
    return note(taken, of: bytes.count) || hasFailed
  }

  @discardableResult
  package func write(_ segments: ArraySlice<[UInt8]>) -> Bool {
    guard isWritable else { return true }
    let mustWait = !pending.isEmpty
    for segment in segments { pending.append(segment) }
    if pending.isEmpty { return true }
    if mustWait { return false }
    return flush()
  }

  /// Writes what waits until the kernel takes no more. True if there is nothing to wait for.
  private func flush() -> Bool {
    while !pending.isEmpty {
      var offered = 0
      let taken = pending.withBuffers { buffers, count, bytes in
        offered = bytes
        return Int(uv_try_write(stream, buffers, UInt32(count)))
      }
      if note(taken, of: offered) { continue }
      return hasFailed
    }
    return true
  }

  /// Deals with the result of an attempt to write. False if the kernel did not take all.
  private func note(_ taken: Int, of offered: Int) -> Bool {
    if taken < 0, taken != Int(UV_EAGAIN.rawValue) {
      fail("write", Int32(taken))
      return false
    }
    if taken > 0 {
      handedToKernel += UInt64(taken)
      pending.consume(taken)
    }
    if taken == offered { return true }
    requestWrite()
    return false
  }

  /// Bytes of a request. Its purpose is to learn when the kernel takes something again; the rest then goes directly
  /// from where it lies. So a slow peer costs this copy, and otherwise only references.
  private static let requestSize = 4096

  private func requestWrite() {
    let headerSize = MemoryLayout<uv_write_t>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: headerSize + min(Self.requestSize, pending.byteCount), alignment: MemoryLayout<uv_write_t>.alignment)
    requested = pending.copy(
      to: UnsafeMutableRawBufferPointer(start: memory + headerSize, count: min(Self.requestSize, pending.byteCount)))
    let request = memory.bindMemory(to: uv_write_t.self, capacity: 1)
    var buffer = uv_buf_t(UnsafeRawBufferPointer(start: memory + headerSize, count: requested))
    let status = uv_write(request, stream, &buffer, 1, streamHasWritten)
    if status != 0 {
      memory.deallocate()
      fail("write", status)
    }
  }

  func hasWritten(_ status: Int32) {
    if isClosed || hasFailed { return }
    if status != 0 {
      fail("write", status)
      return
    }
    handedToKernel += UInt64(requested)
    pending.consume(requested)
    guard flush(), !hasFailed else { return }
    if isFinishing { shutDown() }
    delegate?.drained()
  }

  package var bytesTaken: UInt64 {
    guard !isClosed, let waiting = SocketOptions.unacknowledgedBytes(descriptor) else { return handedToKernel }
    return handedToKernel - min(handedToKernel, UInt64(waiting))
  }

  // MARK: The end

  package func finish() {
    guard isWritable else { return }
    isFinishing = true
    if pending.isEmpty { shutDown() }
  }

  private func shutDown() {
    let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
    // A socket that the peer has reset meanwhile has nothing to shut down.
    if uv_shutdown(request, stream, streamHasShutDown) != 0 { request.deallocate() }
  }

  package override func close() {
    pending = PendingWrites()
    isReading = false
    super.close()
  }

  package func reset() {
    if isClosed { return }
    SocketOptions.dropAtClose(descriptor)
    close()
  }

  override func didClose() {
    // Before the call, so that the delegate may be the last to hold the stream.
    let last = delegate.take()
    last?.closed()
  }

  /// Told at the end of the turn, never inside a call of the owner's.
  private func fail(_ what: String, _ status: Int32) {
    if hasFailed || isClosed { return }
    hasFailed = true
    stopReading()
    pending = PendingWrites()
    let error = NetworkError(what, status: status)
    loop.atTurnEnd { [self] in if !isClosed { delegate?.ended(error) } }
  }

  // MARK: The socket

  package var peerAddress: SocketAddress? {
    family == .unix ? nil : SocketOptions.address { uv_tcp_getpeername(pointer(as: uv_tcp_t.self), $0, $1) }
  }

  package var localAddress: SocketAddress? {
    family == .unix ? nil : SocketOptions.address { uv_tcp_getsockname(pointer(as: uv_tcp_t.self), $0, $1) }
  }

  /// Lets the kernel ask a silent peer whether it is there: first after `delay`, in whole seconds. Nil: not at all.
  package func setKeepAlive(after delay: Duration?) {
    if isClosed || family == .unix { return }
    uv_tcp_keepalive(
      pointer(as: uv_tcp_t.self), delay == nil ? 0 : 1, UInt32(clamping: max(1, delay?.components.seconds ?? 1)))
  }

  /// The kernel's buffer for what the peer has not acknowledged, in bytes. Linux doubles it for its own use (socket(7)).
  package func setSendBuffer(_ bytes: Int) {
    if isClosed { return }
    var value = Int32(clamping: bytes)
    uv_send_buffer_size(raw, &value)
  }

  /// The socket of a connection to be is made by libuv.
  private func findDescriptor() {
    var found: Int32 = -1
    if uv_fileno(raw, &found) == 0 { descriptor = found }
  }
}
