//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import TestSupport
import Testing

/// With kcat as the client, which has nothing of ours in it.
@Suite(
  "A Kafka for tests",
  .enabled(if: Tool.kafka.isWanted && Tool.java.isWanted && Tool.kcat.isWanted, "Kafka or kcat is missing"),
  .timeLimit(.minutes(3)))
struct KafkaServerTests {
  @Test("its topics are made, filled, given partitions, emptied and deleted")
  func topics() async throws {
    let kafka = try await KafkaServer.shared
    let admin = kafka.admin
    try await admin.create("self-test", partitions: 1)
    #expect(try await admin.topics()["self-test"] == 1)
    await #expect(throws: ProgramError.self) { try await admin.create("self-test") }
    var record = KafkaAdmin.Record("é", key: "key")
    record.headers = [("name", [65]), ("nothing", nil)]
    try await admin.produce([record, .init([0, 255, 10]), .init(nil, key: [1])], to: "self-test")
    #expect(try await admin.ends(of: "self-test") == [3])
    let read = ["-C", "-t", "self-test", "-o", "beginning", "-e"]
    #expect(
      try await Kcat.run(read + ["-f", "%o %K %S %h|"], port: kafka.port)
        == "0 3 2 name=A,nothing=NULL|1 -1 3 |2 1 -1 |")
    try await admin.deleteRecords(of: "self-test", before: 2)
    #expect(try await Kcat.run(read + ["-f", "%o|"], port: kafka.port) == "2|")
    try await admin.addPartitions("self-test", upTo: 3)
    record.partition = 2
    try await admin.produce([record], to: "self-test")
    #expect(try await admin.ends(of: "self-test", partitions: 3) == [3, 0, 1])
    try await admin.delete("self-test")
    #expect(try await admin.topics()["self-test"] == nil)
  }

  @Test("it comes back on its ports after a crash, with what it had, and hangs while it is frozen")
  func restart() async throws {
    try await KafkaServer.with { kafka in
      try await kafka.admin.create("kept")
      try await kafka.admin.produce([.init("one")], to: "kept")
      let read = ["-C", "-t", "kept", "-o", "beginning", "-e"]
      try await kafka.kill()
      await #expect(throws: ProgramError.self) { try await Kcat.run(["-L", "-m", "1"], port: kafka.port) }
      try await kafka.start()
      #expect(try await Kcat.run(read, port: kafka.port) == "one")
      kafka.freeze()
      let kcat = try await Kcat.start(read, port: kafka.port)
      await #expect(throws: ProgramError.self) { try await kcat.exit(within: .milliseconds(500)) }
      kafka.thaw()
      try await kcat.line(containing: "one")
      try await kafka.stopInOrder()
      try await kafka.start()
      #expect(try await Kcat.run(read, port: kafka.port) == "one")
    }
  }

  @Test("clients that come by a proxy come back to it, also several proxies at a time")
  func proxies() async throws {
    let kafka = try await KafkaServer.shared
    try await kafka.withProxy { proxy in
      try await kafka.withProxy { other in
        let metadata = try await Kcat.run(["-L"], port: proxy.port)
        #expect(metadata.contains("127.0.0.1:\(proxy.port)") && !metadata.contains(":\(kafka.port)"))
        #expect(try await Kcat.run(["-L"], port: other.port).contains("127.0.0.1:\(other.port)"))
        await proxy.refuse()
        await proxy.cut()
        await #expect(throws: ProgramError.self) { try await Kcat.run(["-L", "-m", "1"], port: proxy.port) }
        try await Kcat.run(["-L"], port: other.port)
      }
    }
  }

  @Test("it asks for a password, which can be changed, speaks TLS, and gives rights one by one")
  func options() async throws {
    var options = KafkaServer.Options()
    options.users = ["app": "secret"]
    options.checksRights = true
    let certificates = try TestCertificates()
    options.certificates = certificates
    try await KafkaServer.with(options) { kafka in
      func login(_ password: String) -> [String] {
        let properties = [
          "security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN", "sasl.username=app", "sasl.password=\(password)",
        ]
        return properties.flatMap { ["-X", $0] }
      }
      try await kafka.admin.create("mine")
      let publish = ["-P", "-t", "mine"]
      await #expect(throws: ProgramError.self) {
        try await Kcat.run(login("secret") + publish, port: kafka.loginPort, input: [65])
      }
      try await kafka.admin.allow("app", [.write, .describe], on: .topic("mine"))
      // A right that is given is not known everywhere at once.
      try await wait(for: "the right") {
        (try? await Kcat.run(login("secret") + publish, port: kafka.loginPort, input: [65])) != nil
      }
      try await kafka.admin.deny("app", [.write], on: .topics("mi"))
      try await wait(for: "the denial") {
        (try? await Kcat.run(login("secret") + publish, port: kafka.loginPort, input: [65])) == nil
      }
      try await kafka.admin.denyNoLonger("app", [.write], on: .topics("mi"))
      try await wait(for: "the end of the denial") {
        (try? await Kcat.run(login("secret") + publish, port: kafka.loginPort, input: [65])) != nil
      }
      await #expect(throws: ProgramError.self) {
        try await Kcat.run(login("wrong") + ["-L", "-m", "2"], port: kafka.loginPort)
      }
      let secure = ["-X", "security.protocol=ssl", "-X", "ssl.ca.location=\(certificates.authority)", "-L"]
      #expect(try await Kcat.run(secure, port: kafka.securePort).contains("127.0.0.1:\(kafka.securePort)"))
      try await kafka.setPassword("other", of: "app")
      try await Kcat.run(login("other") + ["-L"], port: kafka.loginPort)
      await #expect(throws: ProgramError.self) {
        try await Kcat.run(login("secret") + ["-L", "-m", "2"], port: kafka.loginPort)
      }
    }
  }

  @Test("two clusters have two names")
  func clusters() async throws {
    var options = KafkaServer.Options()
    options.clusterID = KafkaServer.Options.otherClusterID
    let kafka = try await KafkaServer.shared
    try await KafkaServer.with(options) { other in
      let names = (try await kafka.admin.clusterID(), try await other.admin.clusterID())
      #expect(names.0 != names.1 && names.1 == KafkaServer.Options.otherClusterID)
    }
  }
}
