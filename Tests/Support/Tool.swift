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

/// A foreign program that some tests need.
///
/// Where it is missing, those tests are skipped, and counted as such; with `CI=true` they run, and fail.
package struct Tool: Sendable {
  package var name: String
  /// What to do about its absence.
  package var advice: String
  /// Where to look: an absolute path, or a name for `PATH`.
  var candidates: [String]

  /// The Python of the tests, with the packages of `requirements.txt`. `BROADCAST_TEST_PYTHON` names another.
  package static let python = Tool(
    name: "Python with its packages", advice: "scripts/python-environment makes it",
    candidates: [currentEnvironment()["BROADCAST_TEST_PYTHON"], "\(projectFolder)/.build/python/bin/python3"]
      .compactMap { $0 })
  package static let nginx = Tool(
    name: "nginx", advice: "apt-get install nginx-light; brew install nginx",
    candidates: ["nginx", "/usr/sbin/nginx", "/opt/homebrew/bin/nginx"])
  package static let chromium = Tool(
    name: "Chromium", advice: "apt-get install chromium; brew install --cask chromium",
    candidates: [
      "chromium", "chromium-browser", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ])
  package static let redis = Tool(
    name: "Redis", advice: "apt-get install redis-server; brew install redis", candidates: ["redis-server"])
  package static let redisCLI = Tool(
    name: "redis-cli", advice: "apt-get install redis-tools; brew install redis", candidates: ["redis-cli"])
  package static let postgres = Tool(
    name: "PostgreSQL", advice: "apt-get install postgresql; brew install postgresql",
    candidates: PostgresInstallation.candidates(for: "postgres"))
  package static let initdb = Tool(
    name: "initdb", advice: "apt-get install postgresql; brew install postgresql",
    candidates: PostgresInstallation.candidates(for: "initdb"))
  package static let psql = Tool(
    name: "psql", advice: "apt-get install postgresql-client; brew install postgresql",
    candidates: PostgresInstallation.candidates(for: "psql"))
  package static let pgBaseBackup = Tool(
    name: "pg_basebackup", advice: "apt-get install postgresql-client; brew install postgresql",
    candidates: PostgresInstallation.candidates(for: "pg_basebackup"))
  package static let pgbouncer = Tool(
    name: "pgbouncer", advice: "apt-get install pgbouncer; brew install pgbouncer",
    candidates: ["pgbouncer", "/usr/sbin/pgbouncer"])
  /// What starts a broker of Kafka, which needs ``java`` too.
  package static let kafka = Tool(
    name: "Kafka", advice: KafkaInstallation.usual.advice,
    candidates: KafkaInstallation.usual.candidates(for: "kafka-server-start.sh"))
  package static let java = Tool(
    name: "Java 17", advice: "apt-get install default-jre-headless; brew install openjdk",
    candidates: KafkaInstallation.javaCandidates)
  package static let kcat = Tool(
    name: "kcat", advice: "apt-get install kcat; brew install kcat", candidates: ["kcat", "kafkacat"])
  package static let curl = Tool(name: "curl", advice: "apt-get install curl", candidates: ["curl"])

  /// Whether tests that need it should run.
  package var isWanted: Bool { found != nil || currentEnvironment()["CI"] == "true" }

  /// Its absolute path.
  package var path: String {
    get throws(ProgramError) {
      guard let found else { throw ProgramError(.missing, "\(name) is missing: \(advice)") }
      return found
    }
  }

  private var found: String? {
    let folders = (currentEnvironment()["PATH"] ?? "").split(separator: ":")
    for candidate in candidates {
      let places = candidate.contains("/") ? [candidate] : folders.map { "\($0)/\(candidate)" }
      if let place = places.first(where: { access($0, X_OK) == 0 }) { return place }
    }
    return nil
  }
}

/// The folder of `Package.swift`: this file lies in `Tests/Support`.
package let projectFolder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  .joined(separator: "/")
