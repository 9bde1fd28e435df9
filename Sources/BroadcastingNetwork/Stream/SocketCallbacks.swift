//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What libuv calls for a `SocketStream`.

import CUV

private func socketStream(_ data: UnsafeMutableRawPointer?) -> SocketStream? {
  data.map { Unmanaged<SocketStream>.fromOpaque($0).takeUnretainedValue() }
}

func streamNeedsBuffer(
  _ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
  guard let stream = socketStream(handle?.pointee.data) else { return }
  buffer?.pointee = uv_buf_t(UnsafeRawBufferPointer(stream.loop.readBuffer))
}

func streamHasRead(
  _ stream: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
  socketStream(stream?.pointee.data)?.hasRead(count)
}

func streamHasWritten(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
  guard let request else { return }
  let stream = socketStream(request.pointee.handle?.pointee.data)
  UnsafeMutableRawPointer(request).deallocate()
  stream?.hasWritten(status)
}

func streamHasShutDown(_ request: UnsafeMutablePointer<uv_shutdown_t>?, _ status: Int32) {
  request?.deallocate()
}

final class ConnectCompletion {
  let call: (Int32) -> Void
  init(_ call: @escaping (Int32) -> Void) { self.call = call }
}

func streamHasConnected(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
  guard let request else { return }
  let data = request.pointee.data
  request.deallocate()
  if let data { Unmanaged<ConnectCompletion>.fromOpaque(data).takeRetainedValue().call(status) }
}
