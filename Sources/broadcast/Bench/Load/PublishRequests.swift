//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingWeb

/// The requests that publish. All of a channel begin alike, and all bodies are the same up to their marker.
struct PublishRequests: Sendable {
  /// Everything up to the body, by channel.
  private let heads: [[UInt8]]
  private let payload: Payload

  var messageBytes: Int { payload.bytes.count }

  init(to target: LoadTarget, channels: [String], size: Int) throws(Failure) {
    payload = Payload(size: size)
    var heads: [[UInt8]] = []
    for channel in channels {
      let request = target.publication(of: payload.bytes, to: channel)
      var bytes: [UInt8] = []
      do throws(HTTPError) {
        try HTTPSerializer.append(request, to: &bytes)
      } catch {
        throw Failure(error.message, .misuse)
      }
      heads.append(Array(bytes.dropLast(size)))
    }
    self.heads = heads
  }

  func make(_ marker: Marker, channel: Int) -> [UInt8] {
    let head = heads[channel]
    var request: [UInt8] = []
    request.reserveCapacity(head.count + payload.bytes.count)
    request += head
    request += payload.bytes
    request.withUnsafeMutableBytes { _ = marker.write(to: UnsafeMutableRawBufferPointer(rebasing: $0[head.count...])) }
    return request
  }
}
