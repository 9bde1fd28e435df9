//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The files of a new database cluster, made once for all tests of a process: `initdb` takes ten times as long as a copy.
enum PostgresTemplate {
  private static let template = Once { try await make() }

  /// Copies the files to `data` in a folder that becomes the owner's.
  static func copy(to folder: TemporaryFolder) async throws {
    let template = try await template.value()
    try await give(folder)
    try await ChildProcess.run(
      PostgresInstallation.asOwner(["/bin/cp", "-R", "\(template.path)/data", "\(folder.path)/data"]))
    try await ChildProcess.run(
      PostgresInstallation.asOwner(["/bin/chmod", "700", "\(folder.path)/data"]))
  }

  private static func make() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    folder.removeAtExit()
    try await give(folder)
    try await ChildProcess.run(
      PostgresInstallation.asOwner([
        try Tool.initdb.path, "--pgdata", "\(folder.path)/data", "--username=postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1",
      ]))
    return folder
  }

  static func give(_ folder: TemporaryFolder) async throws {
    guard let owner = PostgresInstallation.owner else { return }
    try await ChildProcess.run(["/bin/chown", owner, folder.path])
  }
}
