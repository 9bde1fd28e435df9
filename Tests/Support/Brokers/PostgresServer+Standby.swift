//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension PostgresServer {
  /// Copies its files, while it runs, as those of a standby that follows it.
  func copy(to folder: TemporaryFolder) async throws {
    try await PostgresTemplate.give(folder)
    try await ChildProcess.run(
      PostgresInstallation.asOwner([
        try Tool.pgBaseBackup.path, "--pgdata", "\(folder.path)/data", "--host", socketFolder, "--port", "\(port)",
        "--username=postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
      ]))
  }

  /// Makes a primary of a standby, and returns when it is one.
  package func promote() async throws { try await psql("SELECT pg_promote()") }
}
