//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingLocking
import TestSupport

/// Two servers of ours on one broker, seen as a broker itself: whoever publishes is at the one, which may fail, and the
/// witness is at the other.
final class ServedBroker: BrokerServer {
  let port: Int
  let witnessURL: String
  private let other: ServerProcess
  private let one: Lock<ServerProcess>
  private let arguments: [String]

  private init(_ arguments: [String]) async throws {
    self.arguments = arguments
    other = try await ServerProcess(arguments)
    let first = try await ServerProcess(arguments)
    one = Lock(first)
    port = first.port
    witnessURL = other.url
  }

  func url(port: Int) -> String { "http://127.0.0.1:\(port)" }

  func kill() async throws { try await one.withLock { $0 }.kill() }

  func start() async throws {
    let next = try await ServerProcess(port: port, arguments)
    one.withLock { $0 = next }
  }

  func freeze() { one.withLock { $0 }.freeze() }
  func thaw() { one.withLock { $0 }.thaw() }

  /// As a server does that is asked to go, and another one that takes its place.
  func endConnections() async throws {
    let exit = try await one.withLock { $0 }.stop()
    guard exit == .code(0) else { throw TooLate(description: "The server ended by \(exit).") }
    try await start()
  }

  func changePassword(from old: String, to new: String) async throws {}

  /// The broker on which the servers are, in the place of itself.
  ///
  /// - Parameter history: What they are told to keep.
  static func broker(on broker: Broker, history: String? = nil) -> Broker {
    var served = broker
    served.name = "two servers on \(broker.name)"
    served.listeningWords = "GET /events"
    // Its subscribers are those of a server, which keeps nothing for them but histories: these outlive it.
    served.keepsMessages = history != nil
    served.hasHistories = false
    served.serve = { _, body in
      try await broker.withServer(isHurt: false) { server in
        let options = history.map { ["--history", $0] } ?? []
        try await body(try await ServedBroker(options + [server.url(port: server.port)]))
      }
    }
    served.open = { url, events in
      try BroadcastBackend.open(url, among: [.remote(RemoteBroadcast.Configuration { events.append($0) })])
    }
    return served
  }
}
