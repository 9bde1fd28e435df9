//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

/// A client's connection and the one to the server.
final class ProxyLink {
  private(set) var mode: FaultyProxy.Mode
  private let client: SocketStream
  /// Nil for a client that came into silence.
  private let server: SocketStream?
  private var ways: [ProxyWay] = []
  /// Whether something was swallowed.
  private var hasHole = false
  /// What the client said first.
  private var said: [UInt8] = []
  private static let saidLimit = 16_384

  init(_ client: SocketStream, _ server: SocketStream?, _ mode: FaultyProxy.Mode, _ latency: Duration) {
    self.client = client
    self.server = server
    self.mode = mode
    if let server {
      ways = [
        ProxyWay(from: client, to: server, of: self, isAnswer: false),
        ProxyWay(from: server, to: client, of: self, isAnswer: true),
      ]
      server.delegate = ways[1]
      client.delegate = ways[0]
    } else {
      hasHole = true
      client.delegate = ProxyWay(from: client, to: nil, of: self, isAnswer: false)
    }
    setLatency(latency)
    client.startReading()
    server?.startReading()
  }

  var isOver: Bool { !client.isWritable && server?.isWritable != true }

  func set(_ mode: FaultyProxy.Mode) {
    self.mode = mode
    if case .silent = mode { return }
    if hasHole { cut() }
  }

  func setLatency(_ latency: Duration) { for way in ways { way.latency = latency } }

  func setStalled(_ isStalled: Bool) { for way in ways { way.isStalled = isStalled } }

  func cut(after bytes: Int) { ways.last?.left = bytes }

  func cut() {
    client.reset()
    server?.reset()
    for way in ways { way.close() }
  }

  func clientSaid(_ words: String) -> Bool {
    let words = Array(words.utf8)
    return said.indices.contains { said[$0...].starts(with: words) }
  }

  /// What this way's source had been written is gone: the other way's source may go on.
  func drained(behind way: ProxyWay) { for other in ways where other !== way { other.goOn() } }

  func forget(_ way: ProxyWay) { ways.removeAll { $0 === way } }

  /// Whether something that came passes. Nil is an end.
  func passes(_ bytes: [UInt8]?, isAnswer: Bool) -> Bool {
    if !isAnswer, let bytes { said += bytes.prefix(Self.saidLimit - said.count) }
    if case .silent = mode {
      hasHole = true
      return false
    }
    return true
  }
}
