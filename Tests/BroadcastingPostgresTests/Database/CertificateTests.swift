//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import TestSupport
import Testing

@testable import BroadcastingPostgres

@Suite("Certificates of a database", .enabled(if: isDatabaseWanted, "PostgreSQL is missing"), .timeLimit(.minutes(1)))
struct CertificateTests {
  /// Runs `body` with a server whose certificate holds for this machine.
  private func withSecureServer(_ body: (PostgresServer, TestCertificates) async throws -> Void) async throws {
    let certificates = try TestCertificates()
    var options = PostgresServer.Options()
    options.certificates = certificates
    try await PostgresServer.with(options) { try await body($0, certificates) }
  }

  private func url(_ host: String, _ server: PostgresServer, trusting authority: String) -> String {
    "postgres://postgres@\(host):\(server.port)/postgres?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=\(authority)"
  }

  /// How a start fails that tries once.
  private func failure(_ url: String) async throws -> BroadcastError {
    var configuration = PostgresBroadcast.Configuration()
    configuration.hub.connectPatience = .zero
    let broadcast = try PostgresBroadcast(url, configuration: configuration)
    return try #require(await #expect(throws: BroadcastError.self) { try await broadcast.run() })
  }

  @Test("the right host with a certificate of a known authority is connected, by TLS, on both connections")
  func right() async throws {
    try await withSecureServer { server, certificates in
      let url = url("localhost", server, trusting: certificates.authority)
      try await withBroadcast(try PostgresBroadcast(url)) { broadcast in
        var iterator = try await broadcast.subscribe(to: ["a"]).makeAsyncIterator()
        try await broadcast.publish("x", to: "a")
        #expect(try await heard(1, of: &iterator) == ["x"])
        let connections = "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE "
        let ours = "application_name = 'swift-broadcast' AND ssl"
        #expect(try await server.psql(connections + ours) == "2")
      }
    }
  }

  @Test("a host for which the certificate does not hold is an error at once, which names it")
  func wrongHost() async throws {
    try await withSecureServer { server, certificates in
      let error = try await failure(url("other.example", server, trusting: certificates.authority))
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("other.example") && error.message.contains("certificate"), "\(error)")
    }
  }

  @Test("an authority that is not known is an error at once, which says so")
  func unknownAuthority() async throws {
    try await withSecureServer { server, _ in
      let others = try TestCertificates()
      let error = try await failure(url("localhost", server, trusting: others.authority))
      withExtendedLifetime(others) {}
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("certificate verify failed"), "\(error)")
    }
  }

  @Test("a server without TLS is an error at once where the URL wants it")
  func plainServer() async throws {
    try await PostgresServer.with { server in
      let error = try await failure(server.url + "?sslmode=require")
      #expect(error.code == .refused && !error.isRetriable)
      #expect(error.message.contains("does not support SSL"), "\(error)")
    }
  }
}
