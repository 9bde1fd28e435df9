//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A `pgbouncer` in front of a PostgreSQL that asks for no password, on a free port of this machine.
package final class PGBouncer: Sendable {
  /// For how long a client has a session of the server.
  package enum Mode: String, Sendable, CaseIterable { case session, transaction, statement }

  package let port: Int
  private let process: ChildProcess
  private let folder: TemporaryFolder

  /// Returns when it takes connections.
  ///
  /// - Parameter sessions: The most that it opens at the server, for each user and database.
  package init(to server: PostgresServer, _ mode: Mode, sessions: Int = 30) async throws {
    folder = try TemporaryFolder()
    let folder = folder
    (port, process) = try await startOnFreePort { port in
      _ = try folder.write("\"postgres\" \"\"\n", to: "users.txt")
      let settings = Self.settings(port: port, server, mode, sessions: sessions, users: "\(folder.path)/users.txt")
      let file = try folder.write(settings, to: "pgbouncer.ini")
      // Like PostgreSQL it refuses to run as root.
      if let owner = PostgresInstallation.owner {
        try await ChildProcess.run(["/bin/chown", "-R", owner, folder.path])
      }
      let command = PostgresInstallation.asOwner([try Tool.pgbouncer.path, file])
      let process = try await ChildProcess(command[0], Array(command.dropFirst()), lastSignal: .terminate)
      try await process.line(.errors, containing: "process up")
      return process
    }
  }

  /// Lets it open more or fewer sessions from now on.
  package func setSessions(_ sessions: Int) async throws {
    let psql = try await ChildProcess(
      Tool.psql.path, ["--no-psqlrc", "--command", "SET default_pool_size = \(sessions)", url(database: "pgbouncer")])
    guard try await psql.exit() == .code(0) else {
      throw ProgramError(.refused, "psql: \(psql.transcript(.errors).joined(separator: "\n"))")
    }
  }

  package func url(database: String = "postgres") -> String {
    "postgres://postgres@127.0.0.1:\(port)/\(database)"
  }

  private static func settings(port: Int, _ server: PostgresServer, _ mode: Mode, sessions: Int, users: String)
    -> String
  {
    """
    [databases]
    * = host=127.0.0.1 port=\(server.port)
    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = \(port)
    unix_socket_dir =
    auth_type = trust
    auth_file = \(users)
    admin_users = postgres
    pool_mode = \(mode.rawValue)
    default_pool_size = \(sessions)
    # It tries a server that went away as soon as a client asks, nearly.
    server_login_retry = 0.2

    """
  }
}
