//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Where a Kafka lies, and how its programs are run.
package struct KafkaInstallation: Sendable, Hashable {
  /// The variable of the environment with its folder.
  private let variable: String

  /// The one for all tests.
  package static let usual = KafkaInstallation(variable: "KAFKA_HOME")
  /// One of version 3, for what a librdkafka of before 2.6.1 can't do with version 4.
  package static let three = KafkaInstallation(variable: "KAFKA_HOME_3")

  package var isThere: Bool { currentEnvironment()[variable] != nil }

  func candidates(for program: String) -> [String] {
    let named = currentEnvironment()[variable].map { ["\($0)/bin/\(program)"] } ?? []
    // Homebrew's is as new as can be.
    return named + (self == .usual ? ["/opt/homebrew/opt/kafka/libexec/bin/\(program)"] : [])
  }

  var advice: String { "set \(variable) to the folder of an unpacked https://kafka.apache.org/downloads" }

  static var javaCandidates: [String] {
    (currentEnvironment()["JAVA_HOME"].map { ["\($0)/bin/java"] } ?? []) + ["java"]
  }

  private func path(of program: String) throws(ProgramError) -> String {
    try Tool(name: "Kafka's \(program)", advice: advice, candidates: candidates(for: program)).path
  }

  /// A broker, which is ready some seconds later. It ends with the tests, however these end.
  func startServer(_ properties: String, logs: String) async throws -> ChildProcess {
    let command = Self.withParent([try path(of: "kafka-server-start.sh"), properties])
    return try await ChildProcess(
      command[0], Array(command.dropFirst()),
      environment: [
        // Little memory, and a quick start before a fast run.
        "KAFKA_HEAP_OPTS": "-Xms96m -Xmx256m", "KAFKA_TIER": "1",
        "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true",
        // Apache's script keeps logs beside the program otherwise.
        "LOG_DIR": logs,
      ])
  }

  /// Prepares the folder that a server's properties name.
  ///
  /// - Parameter scram: Users as `[name=…,password=…]`.
  func format(_ properties: String, clusterID: String, scram: [String] = []) async throws {
    let command =
      [try path(of: "kafka-storage.sh"), "format", "-t", clusterID, "-c", properties]
      + scram.flatMap { ["--add-scram", "SCRAM-SHA-256=\($0)"] }
    try await ChildProcess.run(command, environment: ["KAFKA_HEAP_OPTS": "-Xmx96m", "KAFKA_TIER": "1"])
  }

  /// On Linux a command that gets SIGKILL when the tests end without it (prctl(2), `PR_SET_PDEATHSIG`); the scripts become
  /// the JVM by `exec`, which keeps that.
  private static func withParent(_ command: [String]) -> [String] {
    #if os(Linux)
      return ["/usr/bin/setpriv", "--pdeathsig=KILL"] + command
    #else
      return command
    #endif
  }
}
