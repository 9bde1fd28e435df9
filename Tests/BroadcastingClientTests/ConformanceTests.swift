//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingTesting
import TestSupport
import Testing

@Suite("Conformance of the client", .timeLimit(.minutes(5)))
struct ConformanceTests {
  @Test("a client conforms", arguments: ConformanceSuite.Chapter.allCases)
  func direct(chapter: ConformanceSuite.Chapter) async throws {
    let server = try await ServerProcess(["--history", "conformance.*=1000"])
    try await ConformanceSuite { try BroadcastBackend.open(server.url, among: [.memory, .remote]) }.run(chapter)
    try await server.stop()
  }

  @Test(
    "a client behind nginx conforms", .enabled(if: Tool.nginx.isWanted, "nginx is missing"),
    arguments: ConformanceSuite.Chapter.allCases)
  func proxied(chapter: ConformanceSuite.Chapter) async throws {
    let server = try await ServerProcess(["--history", "conformance.*=1000"])
    let proxy = try await NginxProcess(upstream: server.address)
    try await ConformanceSuite { try RemoteBroadcast(proxy.url) }.run(chapter)
    try await server.stop()
  }

  @Test(
    "a client of https behind nginx conforms", .enabled(if: Tool.nginx.isWanted, "nginx is missing"),
    arguments: ConformanceSuite.Chapter.allCases)
  func secure(chapter: ConformanceSuite.Chapter) async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess(["--history", "conformance.*=1000"])
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    var configuration = RemoteBroadcast.Configuration()
    configuration.tls = TLSConfiguration(trust: .file(certificates.authority))
    let url = proxy.url
    try await ConformanceSuite { [configuration] in try BroadcastBackend.open(url, among: [.remote(configuration)]) }
      .run(chapter)
    try await server.stop()
  }
}
