//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// The files of a new database cluster, made once for all tests of a process: `initdb` takes ten times as long as a copy.
actor PostgresTemplate {
  static let shared = PostgresTemplate()

  private enum State {
    case none
    case making([UnsafeContinuation<Void, Never>])
    case made(Result<TemporaryFolder, any Error>)
  }

  private var state = State.none

  /// Copies the files to `data` in a folder that becomes the owner's.
  func copy(to folder: TemporaryFolder) async throws {
    let template = try await template()
    try await Self.give(folder)
    try await PostgresInstallation.run(
      PostgresInstallation.asOwner(["/bin/cp", "-R", "\(template.path)/data", "\(folder.path)/data"]))
    try await PostgresInstallation.run(
      PostgresInstallation.asOwner(["/bin/chmod", "700", "\(folder.path)/data"]))
  }

  private func template() async throws -> TemporaryFolder {
    while true {
      switch state {
      case .made(let result):
        return try result.get()
      case .making:
        await withUnsafeContinuation { continuation in
          if case .making(let waiters) = state {
            state = .making(waiters + [continuation])
          } else {
            continuation.resume()
          }
        }
      case .none:
        state = .making([])
        let result: Result<TemporaryFolder, any Error>
        do { result = .success(try await Self.make()) } catch { result = .failure(error) }
        if case .making(let waiters) = state { for waiter in waiters { waiter.resume() } }
        state = .made(result)
      }
    }
  }

  private static func make() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    folder.removeAtExit()
    try await give(folder)
    try await PostgresInstallation.run(
      PostgresInstallation.asOwner([
        try Tool.initdb.path, "--pgdata", "\(folder.path)/data", "--username=postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1",
      ]))
    return folder
  }

  static func give(_ folder: TemporaryFolder) async throws {
    guard let owner = PostgresInstallation.owner else { return }
    try await PostgresInstallation.run(["/bin/chown", owner, folder.path])
  }
}
