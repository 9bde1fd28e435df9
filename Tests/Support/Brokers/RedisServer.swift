//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

/// A `redis-server` of a test's own, on a free port of this machine. It keeps nothing on disk unless it is asked to.
package final class RedisServer: Sendable {
  package struct Options: Sendable {
    /// Of the user `default`; nil lets everybody in.
    package var password: String?
    /// Further users, each in the words of `ACL SETUSER`: `reader on >secret ~* &* +@all`.
    package var users: [String] = []
    /// Whether it listens on a Unix socket too.
    package var hasUnixSocket = false
    /// Whether it speaks TLS too, on a port of its own.
    package var certificates: TestCertificates?
    /// Whether what is stored is there again after a restart.
    package var keepsData = false
    /// Anything else of `redis.conf`.
    package var settings: [String: String] = [:]

    package init() {}
  }

  package let port: Int
  /// 0 where it has no certificates.
  package let securePort: Int
  private let options: Options
  private let folder: TemporaryFolder
  private let process: Lock<ChildProcess>

  private init(_ options: Options) async throws {
    let folder = try TemporaryFolder()
    let first: ChildProcess
    (port, (securePort, first)) = try await startOnFreePort { port in
      guard options.certificates != nil else {
        return (0, try await Self.start(options, port: port, securePort: 0, in: folder))
      }
      return try await startOnFreePort { securePort in
        try await Self.start(options, port: port, securePort: securePort, in: folder)
      }
    }
    process = Lock(first)
    self.options = options
    self.folder = folder
  }

  /// Runs a server while `body` runs. It has answered when `body` begins.
  package static func with<Result>(
    _ options: Options = .init(), _ body: (RedisServer) async throws -> Result
  ) async throws -> Result {
    let server = try await RedisServer(options)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    try await server.kill()
    return try result.get()
  }

  package var address: String { "127.0.0.1:\(port)" }
  package var socketPath: String { Self.socketPath(in: folder) }

  /// With the password, where it has one.
  package var url: String { url(port: port) }

  /// The same through another port, that of a proxy.
  package func url(port: Int) -> String { "redis://\(credentials)127.0.0.1:\(port)" }

  /// By TLS. The certificate holds for `localhost` too.
  package var secureURL: String { "rediss://\(credentials)127.0.0.1:\(securePort)" }

  private var credentials: String { options.password.map { ":\($0)@" } ?? "" }

  /// What it has written to its log.
  package var log: [String] { current.transcript() }

  private var current: ChildProcess { process.withLock { $0 } }

  // MARK: What may happen to it

  /// Ends it as a crash would (SIGKILL), and returns when it is gone.
  package func kill() async throws {
    current.signal(.kill)
    try await current.exit()
  }

  /// Starts it again on the same port, after ``kill()``. It has answered when this returns.
  package func start() async throws {
    let new = try await Self.start(options, port: port, securePort: securePort, in: folder)
    process.withLock { $0 = new }
  }

  package func restart() async throws {
    try await kill()
    try await start()
  }

  /// It hangs from now on (SIGSTOP): the system still takes connections and bytes for it, and nobody answers.
  package func freeze() { current.signal(.stop) }
  package func thaw() { current.signal(.resume) }

  // MARK: redis-cli

  /// Runs `redis-cli` to its end, and gives back what it printed.
  ///
  /// - Parameter input: what it reads, for `-x`: the last argument of the command.
  @discardableResult
  package func cli(_ arguments: [String], input: [UInt8]? = nil) async throws -> String {
    let cli: ChildProcess
    if let input {
      let file = try TemporaryFolder()
      cli = try await ChildProcess(
        "/bin/sh", ["-c", #"exec "$0" "$@" < "$INPUT""#, try Tool.redisCLI.path] + options(arguments),
        environment: ["INPUT": try file.write(input, to: "input")].merging(environment) { $1 })
      try await cli.exit()
    } else {
      cli = try await startCLI(arguments)
      try await cli.exit()
    }
    let output = cli.transcript().joined(separator: "\n")
    let errors = cli.transcript(.errors).joined(separator: "\n")
    guard try await cli.exit() == .code(0), errors.isEmpty else {
      throw ProgramError(.refused, "redis-cli \(arguments.joined(separator: " ")): \(output) \(errors)")
    }
    return output
  }

  /// Starts `redis-cli`, for a command that goes on, such as `SUBSCRIBE`.
  package func startCLI(_ arguments: [String]) async throws -> ChildProcess {
    try await ChildProcess(Tool.redisCLI.path, options(arguments), environment: environment)
  }

  private func options(_ arguments: [String]) -> [String] { ["-h", "127.0.0.1", "-p", "\(port)"] + arguments }
  private var environment: [String: String] { options.password.map { ["REDISCLI_AUTH": $0] } ?? [:] }

  // MARK: Starting

  private static func start(
    _ options: Options, port: Int, securePort: Int, in folder: TemporaryFolder
  ) async throws -> ChildProcess {
    let file = try folder.write(
      configuration(options, port: port, securePort: securePort, in: folder), to: "redis.conf")
    let process = try await ChildProcess(Tool.redis.path, [file])
    // It serves from this line on.
    try await process.line(containing: "Ready to accept connections")
    return process
  }

  private static func configuration(
    _ options: Options, port: Int, securePort: Int, in folder: TemporaryFolder
  ) -> String {
    var lines = ["bind 127.0.0.1", "port \(port)", "dir \(folder.path)", #"save """#]
    if let password = options.password { lines.append("requirepass \(password)") }
    lines += options.users.map { "user \($0)" }
    if options.hasUnixSocket { lines.append("unixsocket \(socketPath(in: folder))") }
    if let certificates = options.certificates {
      lines += [
        "tls-port \(securePort)", "tls-cert-file \(certificates.server.certificate)",
        "tls-key-file \(certificates.server.key)", "tls-ca-cert-file \(certificates.authority)",
        "tls-auth-clients no",
      ]
    }
    if options.keepsData { lines += ["appendonly yes", "appendfsync always"] }
    lines += options.settings.map { "\($0.key) \($0.value)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func socketPath(in folder: TemporaryFolder) -> String { "\(folder.path)/redis.sock" }
}
