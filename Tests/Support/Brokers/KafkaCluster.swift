//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// A Kafka of three brokers, on free ports of this machine. Each has all of every topic, and two of them are enough.
package final class KafkaCluster: Sendable {
  private struct Node {
    var settings: KafkaSettings
    var folder: TemporaryFolder
  }

  package static let count = 3

  package let admin: KafkaAdmin
  /// Where the brokers listen, in their order.
  package let ports: [Int]
  private let reserved: [ReservedPort]
  private let nodes: [Node]
  private let processes = Lock([Int: ChildProcess]())

  private init() async throws {
    reserved = try ReservedPort.some(2 * Self.count)
    let ports = reserved.prefix(Self.count).map(\.number)
    let controllers = reserved.suffix(Self.count).map(\.number)
    self.ports = ports
    admin = KafkaAdmin(servers: ports.map { "127.0.0.1:\($0)" }.joined(separator: ","))
    var nodes: [Node] = []
    for (index, port) in ports.enumerated() {
      let folder = try TemporaryFolder()
      let settings = KafkaSettings(
        node: index + 1, ports: .init(direct: port, controllers: controllers), data: "\(folder.path)/data")
      try await KafkaTemplate.copy(
        to: folder, clusterID: KafkaServer.Options.usualClusterID, node: settings.node)
      nodes.append(Node(settings: settings, folder: folder))
    }
    self.nodes = nodes
  }

  /// Runs a cluster while `body` runs. All brokers answer when `body` begins. No server that a test hurts runs beside it.
  package static func with<Result>(_ body: (KafkaCluster) async throws -> Result) async throws -> Result {
    try await KafkaServer.gate.with { _ in
      let cluster = try await KafkaCluster()
      let result: Swift.Result<Result, any Error>
      do {
        try await cluster.startAll()
        result = .success(try await body(cluster))
      } catch {
        result = .failure(error)
      }
      for number in 1...count { try await cluster.kill(number) }
      return try result.get()
    }
  }

  // MARK: What may happen to its brokers

  /// Ends one as a crash would (SIGKILL), and returns when it is gone.
  ///
  /// - Parameter number: From 1 on, as Kafka counts them.
  package func kill(_ number: Int) async throws {
    guard let process = processes.withLock({ $0.removeValue(forKey: number) }) else { return }
    process.signal(.kill)
    try await process.exit()
  }

  /// All of them hang from now on (SIGSTOP).
  package func freeze() { for process in processes.withLock({ $0 }).values { process.signal(.stop) } }
  package func thaw() { for process in processes.withLock({ $0 }).values { process.signal(.resume) } }

  /// Ends one after the other in order (SIGTERM), and starts it again before the next.
  package func restartOneByOne() async throws {
    for number in 1...Self.count {
      guard let process = processes.withLock({ $0.removeValue(forKey: number) }) else { continue }
      process.signal(.terminate)
      try await process.exit()
      try await startAll()
    }
  }

  /// Starts those again that are away. When this returns all answer, and each has all of every topic.
  package func startAll() async throws {
    for (index, node) in nodes.enumerated() where processes.withLock({ $0[index + 1] == nil }) {
      let file = try node.folder.write(node.settings.text, to: "server.properties")
      let process = try await KafkaInstallation.usual.startServer(file, logs: "\(node.folder.path)/logs")
      processes.withLock { $0[index + 1] = process }
    }
    let running = processes.withLock { Array($0.values) }
    try await admin.waitUntilReady(Self.count) { running.allSatisfy { $0.identifier != nil } }
    for process in running where process.identifier == nil {
      throw ProgramError(.ended, "Kafka ended: \(process.transcript().suffix(30).joined(separator: "\n"))")
    }
  }
}
