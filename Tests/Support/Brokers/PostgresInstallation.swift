//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where PostgreSQL's programs lie, and how they are run.
enum PostgresInstallation {
  /// Debian and Homebrew keep one folder for each version, and put few of the programs in `PATH`.
  static func candidates(for program: String) -> [String] {
    let debian = folders(in: "/usr/lib/postgresql") { _ in true }
    let homebrew = folders(in: "/opt/homebrew/opt") { $0.hasPrefix("postgresql") }
    return (debian + homebrew).map { "\($0)/bin/\(program)" } + [program]
  }

  /// The newest version first.
  private static func folders(in parent: String, where isWanted: (String) -> Bool) -> [String] {
    guard let folder = opendir(parent) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if !name.hasPrefix("."), isWanted(name) { names.append(name) }
    }
    return names.sorted { ($0.count, $0) > ($1.count, $1) }.map { "\(parent)/\($0)" }
  }

  /// The user that owns the files: PostgreSQL refuses to run as root, and its packages make this one.
  static let owner: String? = getuid() == 0 ? "postgres" : nil

  /// A command line run as ``owner``.
  ///
  /// On Linux the program gets SIGQUIT, which ends PostgreSQL at once and in order, when the tests end without it: the
  /// usual way would be lost with the change of the user (prctl(2), `PR_SET_PDEATHSIG`).
  static func asOwner(_ command: [String]) -> [String] {
    #if os(Linux)
      let user = owner.map { ["--reuid=\($0)", "--regid=\($0)", "--init-groups"] } ?? []
      return ["/usr/bin/setpriv"] + user + ["--pdeathsig=QUIT"] + command
    #else
      return command
    #endif
  }
}
