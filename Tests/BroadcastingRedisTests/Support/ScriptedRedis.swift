//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork

@testable import BroadcastingRedis

/// What answers as a Redis server does, unless a test wants it otherwise.
actor ScriptedRedis {
  enum Answer: Sendable {
    /// These bytes.
    case raw(String)
    /// Nothing, and nothing happens.
    case silence
    /// The connection is closed.
    case close
  }

  /// Asked for each command, with its words. With nil the server does what it should.
  typealias Script = @Sendable ([String]) -> Answer?

  nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  nonisolated let port: Int
  private let listener: Listener
  private nonisolated let script: Lock<Script>
  private nonisolated let words = Lock([[String]]())
  private var connections: [Connection] = []

  private init(_ sockets: ListeningSockets, on loop: EventLoop, _ script: @escaping Script) throws {
    self.loop = loop
    port = Int(sockets.addresses[0].port)
    listener = try Listener(sockets, on: loop)
    self.script = Lock(script)
  }

  /// Runs a server while `body` runs.
  static func run(
    _ script: @escaping Script = { _ in nil }, _ body: (ScriptedRedis) async throws -> Void
  ) async throws {
    try await withEventLoops(count: 1) { loops in
      let sockets = try await ListeningSockets.bind(host: "127.0.0.1", port: 0)
      let server = try ScriptedRedis(sockets, on: loops[0], script)
      async let served: Void = withTaskExecutorPreference(loops[0]) { await server.serve() }
      let result: Result<Void, any Error>
      do { result = .success(try await body(server)) } catch { result = .failure(error) }
      await server.listener.close()
      await served
      try result.get()
    }
  }

  nonisolated var url: String { "redis://127.0.0.1:\(port)" }

  /// All commands so far.
  nonisolated var commands: [[String]] { words.withLock { $0 } }

  nonisolated func count(_ command: String...) -> Int { commands.count { $0.starts(with: command) } }

  nonisolated func answer(_ script: @escaping Script) { self.script.withLock { $0 = script } }

  /// Sends bytes to those who have subscribed to something, or to the others.
  func say(_ text: String, toListeners: Bool = true) {
    for connection in connections where connection.hasSubscribed == toListeners { connection.write(text) }
  }

  /// Closes those who have subscribed to something.
  func closeListeners() {
    for connection in connections where connection.hasSubscribed { connection.close() }
  }

  /// A message as a server pushes it.
  static func message(_ text: String, on channel: String) -> String { list("message", channel, text) }

  static func list(_ words: String...) -> String { list(words) }

  private static func list(_ words: [String]) -> String {
    "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  // MARK: Serving

  private func serve() async {
    while let stream = try? await listener.accept() {
      guard let connection = try? Connection(stream, of: self, number: connections.count) else { continue }
      connections.append(connection)
    }
    for connection in connections { connection.close() }
  }

  fileprivate func obey(_ command: [String], of number: Int) {
    let connection = connections[number]
    words.withLock { $0.append(command) }
    switch script.withLock({ $0 })(command) {
    case .raw(let text): connection.write(text)
    case .silence: break
    case .close: connection.close()
    case nil: answer(command, connection)
    }
  }

  private func answer(_ command: [String], _ connection: Connection) {
    let name = command.dropFirst().first ?? ""
    switch command[0] {
    case "HELLO": connection.write(Self.list("server", "redis", "mode", "standalone", "role", "master"))
    case "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE":
      if command[0].hasSuffix("UNSUBSCRIBE") { connection.names.remove(name) } else { connection.names.insert(name) }
      connection.hasSubscribed = true
      connection.write(
        "*3\r\n$\(command[0].utf8.count)\r\n\(command[0].lowercased())\r\n$\(name.utf8.count)\r\n\(name)\r\n:1\r\n")
    case "PUBLISH":
      for other in connections where other.names.contains(name) { other.write(Self.message(command[2], on: name)) }
      connection.write(":1\r\n")
    default: connection.write("+OK\r\n")
    }
  }

  fileprivate final class Connection: StreamDelegate {
    let stream: SocketStream
    // The stream holds its delegate until it is closed, which the server sees to.
    let server: ScriptedRedis
    let number: Int
    /// A command has the form of a reply that is a list.
    let reader: ReplyReader
    var names: Set<String> = []
    var hasSubscribed = false

    init(_ stream: SocketStream, of server: ScriptedRedis, number: Int) throws {
      self.stream = stream
      self.number = number
      self.server = server
      reader = try ReplyReader()
      stream.delegate = self
      stream.startReading()
    }

    func write(_ text: String) { stream.write(Array(text.utf8)) }
    func close() { stream.close() }

    func received(_ bytes: UnsafeRawBufferPointer) {
      guard (try? reader.feed(bytes)) != nil else { return }
      while let kind = try? reader.next() {
        guard kind == .list else { continue }
        let words = (0..<reader.count).map { reader.text(at: $0) }
        server.assumeIsolated { [number] in $0.obey(words, of: number) }
      }
    }

    func drained() {}
    func ended(_ error: NetworkError?) { stream.close() }
    func closed() {}
  }
}
