//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A `postgres` of a test's own, on a free port of this machine and on a Unix socket, which keeps its promises about
/// crashes of itself but not of the machine (`fsync=off`).
///
/// Its superuser and its first database are called `postgres`.
package final class PostgresServer: Sendable {
  package struct Options: Sendable {
    /// Of the superuser, asked for over TCP (SCRAM). Nil lets everybody in.
    package var password: String?
    /// Whether it speaks TLS to who wants it.
    package var certificates: TestCertificates?
    /// Anything of `postgresql.conf`.
    package var settings: [String: String] = [:]
    /// It is a copy of this one as it is now, and a standby that follows it. Both need ``replication`` in their settings.
    package var primary: PostgresServer?

    /// What a server needs that has a standby, or is one.
    package static let replication = ["wal_level": "replica", "max_wal_senders": "4"]

    package init() {}
  }

  package let port: Int
  private let options: Options
  private let folder: TemporaryFolder
  private let process: Lock<ChildProcess>

  private init(_ options: Options) async throws {
    let folder = try TemporaryFolder()
    if let primary = options.primary {
      try await primary.copy(to: folder)
    } else {
      try await PostgresTemplate.copy(to: folder)
    }
    try await Self.configure(options, in: folder)
    let first: ChildProcess
    (port, first) = try await startOnFreePort { port in try await Self.start(options, port: port, in: folder) }
    process = Lock(first)
    self.options = options
    self.folder = folder
    if let password = options.password {
      // Through the socket, which asks for none.
      try await psql("ALTER USER postgres PASSWORD '\(password)'")
    }
  }

  /// Runs a server while `body` runs. It takes connections when `body` begins.
  package static func with<Result>(
    _ options: Options = .init(), _ body: (PostgresServer) async throws -> Result
  ) async throws -> Result {
    let server = try await PostgresServer(options)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    try await server.end()
    return try result.get()
  }

  package var address: String { "127.0.0.1:\(port)" }
  /// The folder of its Unix socket, which libpq takes for a host.
  package var socketFolder: String { folder.path }

  /// With the password, where it has one.
  package var url: String { url() }

  /// The same through another port, that of a proxy, or for another database.
  package func url(port: Int? = nil, database: String = "postgres") -> String {
    let password = options.password.map { ":\($0)" } ?? ""
    return "postgres://postgres\(password)@127.0.0.1:\(port ?? self.port)/\(database)"
  }

  /// What it has written to its log.
  package var log: [String] { current.transcript(.errors) }

  private var current: ChildProcess { process.withLock { $0 } }

  // MARK: What may happen to it

  /// Ends it with all of its processes as a crash would (SIGKILL), and returns when they are gone.
  package func kill() async throws {
    let process = current
    // Stopped first, so that it starts no others meanwhile.
    process.signal(.stop)
    let children = process.identifier.map { ProcessTree.children(of: $0) } ?? []
    process.signal(.kill)
    ProcessTree.signal(children, SIGKILL)
    try await process.exit()
    try await ProcessTree.waitForEnd(of: children)
  }

  /// Starts it again on the same port, after ``kill()``. It takes connections when this returns.
  package func start() async throws {
    let new = try await Self.start(options, port: port, in: folder)
    process.withLock { $0 = new }
  }

  package func restart() async throws {
    try await kill()
    try await start()
  }

  /// It hangs from now on (SIGSTOP): the system still takes connections and bytes for it, and nobody answers.
  package func freeze() {
    current.signal(.stop)
    signalChildren(SIGSTOP)
  }

  package func thaw() {
    signalChildren(SIGCONT)
    current.signal(.resume)
  }

  private func signalChildren(_ number: Int32) {
    if let process = current.identifier { ProcessTree.signal(ProcessTree.children(of: process), number) }
  }

  /// Lets it go at once and in order, so that it leaves no shared memory behind.
  private func end() async throws {
    guard current.identifier != nil else { return }
    thaw()
    current.signal(.quit)
    try await current.exit()
  }

  // MARK: psql

  /// Runs SQL to its end, and gives back what it printed: a line for each row, with `|` between columns.
  @discardableResult
  package func psql(_ sql: String, database: String = "postgres") async throws -> String {
    let psql = try await startPSQL(["--no-align", "--tuples-only", "--command", sql], database: database)
    guard try await psql.exit() == .code(0) else {
      throw ProgramError(.refused, "psql: \(sql): \(psql.transcript(.errors).joined(separator: "\n"))")
    }
    return psql.transcript().joined(separator: "\n")
  }

  /// Starts `psql`, as the superuser on the Unix socket. Without arguments it reads what it is sent.
  package func startPSQL(_ arguments: [String] = [], database: String = "postgres") async throws -> ChildProcess {
    try await ChildProcess(
      Tool.psql.path,
      [
        "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--host", folder.path, "--port", "\(port)",
        "--username=postgres", "--dbname", database,
      ] + arguments)
  }

  /// - Parameter encoding: as PostgreSQL names it, such as `LATIN1` or `SQL_ASCII`.
  package func createDatabase(_ name: String, encoding: String = "UTF8") async throws {
    try await psql(
      "CREATE DATABASE \"\(name)\" TEMPLATE template0 ENCODING '\(encoding)' LC_COLLATE 'C' LC_CTYPE 'C'")
  }

  // MARK: Starting

  private static func configure(_ options: Options, in folder: TemporaryFolder) async throws {
    let method = options.password == nil ? "trust" : "scram-sha-256"
    _ = try folder.write("local all,replication all trust\nhost all all 127.0.0.1/32 \(method)\n", to: "hba.conf")
    guard let files = options.certificates?.server else { return }
    // A key which others can read is refused.
    let owner = PostgresInstallation.owner.map { ["-o", $0] } ?? []
    try await ChildProcess.run(
      ["/usr/bin/install", "-m", "600"] + owner + [files.certificate, "\(folder.path)/server.pem"])
    try await ChildProcess.run(
      ["/usr/bin/install", "-m", "600"] + owner + [files.key, "\(folder.path)/server.key"])
  }

  private static func start(
    _ options: Options, port: Int, in folder: TemporaryFolder
  ) async throws -> ChildProcess {
    var settings = [
      "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": folder.path,
      "hba_file": "\(folder.path)/hba.conf", "fsync": "off", "autovacuum": "off", "max_connections": "50",
      "shared_buffers": "16MB", "max_wal_senders": "0", "wal_level": "minimal", "tcp_keepalives_idle": "5",
      "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3",
    ]
    if options.certificates != nil {
      settings["ssl"] = "on"
      settings["ssl_cert_file"] = "\(folder.path)/server.pem"
      settings["ssl_key_file"] = "\(folder.path)/server.key"
    }
    settings.merge(options.settings) { $1 }
    let command = PostgresInstallation.asOwner(
      [try Tool.postgres.path, "-D", "\(folder.path)/data"] + settings.flatMap { ["-c", "\($0.key)=\($0.value)"] })
    let process = try await ChildProcess(command[0], Array(command.dropFirst()), lastSignal: .quit)
    try await process.line(.errors, containing: "database system is ready to accept")
    return process
  }
}
