//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingTLS
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite(.timeLimit(.minutes(1)))
struct CertificateTests {
  /// What comes of a certificate, for a client that trusts the tests' authority unless told otherwise.
  private func error(
    _ issue: @escaping @Sendable (TestCertificates) throws -> TestCertificates.Files, host: String = "localhost",
    _ configure: @Sendable (inout TLSConfiguration) throws -> Void = { _ in }
  ) async throws -> NetworkError? {
    var configuration = TLSConfiguration(trust: .file(try certificates.get().authority))
    try configure(&configuration)
    let found = Found()
    try await withServer { rules, certificates in
      rules.files = try issue(certificates)
    } serve: {
      // A client that refuses says so by an alert.
      await $0.handshake()
    } body: { [configuration] meeting in
      await found.set(await meeting.refusal(to: host, TLSContext(configuration)))
    }
    return await found.error
  }

  private actor Found {
    var error: NetworkError?
    func set(_ error: NetworkError?) { self.error = error }
  }

  private func expect(_ error: NetworkError?, says parts: String..., at location: SourceLocation = #_sourceLocation) {
    #expect(error?.code == .certificateRefused, sourceLocation: location)
    for part in parts {
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "no error")", sourceLocation: location)
    }
  }

  @Test("an expired certificate is refused, and the error says since when")
  func expired() async throws {
    let error = try await error { try $0.issue("expired", .past) }
    expect(error, says: "the certificate of localhost:", "it expired at 20", "its issuer CN=Authority of the tests")
  }

  @Test("a certificate of tomorrow is refused")
  func future() async throws {
    expect(try await error { try $0.issue("future", .future) }, says: "not valid before 20", "machine's clock")
  }

  @Test("a certificate for other names is refused, and the error tells them")
  func wrongName() async throws {
    let error = try await error { try $0.issue("other", for: ["a.example.test", "192.0.2.7", "2001:db8::1"]) }
    expect(error, says: "it is not for localhost", ". It is for a.example.test, 192.0.2.7, 2001:db8::1")
  }

  @Test("a name is no address, and an address no name")
  func wrongKind() async throws {
    expect(
      try await error({ try $0.issue("name", for: ["localhost"]) }, host: "127.0.0.1"), says: "it is not for 127.0.0.1")
    expect(try await error { try $0.issue("address", for: ["127.0.0.1"]) }, says: "it is not for localhost")
  }

  @Test("the common name of the subject does not count")
  func commonName() async throws {
    expect(try await error { try $0.issue("localhost", for: []) }, says: "It names no host (subjectAltName)")
  }

  @Test(
    "a star is one whole label",
    arguments: [("a.example.test", true), ("a.b.example.test", false), ("example.test", false)])
  func wildcard(name: String, isGood: Bool) async throws {
    let error = try await error({ try $0.issue("star \(name)", for: ["*.example.test"]) }) { $0.serverName = name }
    #expect(error?.code == (isGood ? nil : .certificateRefused))
  }

  @Test("a star for a part of a label is none")
  func partialWildcard() async throws {
    let error = try await error({ try $0.issue("part", for: ["a*.example.test"]) }) {
      $0.serverName = "ab.example.test"
    }
    expect(error, says: "it is not for ab.example.test")
  }

  @Test("another name can be asked for than that of the host, also with the root's dot")
  func serverName() async throws {
    for name in ["b.example.test", "b.example.test."] {
      #expect(
        try await error({ try $0.issue("b", for: ["b.example.test"]) }, host: "127.0.0.1") { $0.serverName = name }
          == nil)
    }
  }

  @Test("an authority that nobody knows is refused")
  func unknownAuthority() async throws {
    let other = try TestCertificates()
    let error = try await error({ $0.server }) { $0.trust = .file(other.authority) }
    expect(error, says: "who issued it is unknown here", "Trusted are only those of \(other.authority)")
  }

  @Test("a self-signed certificate is refused, unless it is among the authorities")
  func selfSigned() async throws {
    let own = try certificates.get().issue("self-signed", isSelfSigned: true)
    expect(try await error { _ in own }, says: "it is self-signed")
    #expect(try await error({ _ in own }) { $0.trust = .file(own.certificate) } == nil)
  }

  @Test("the system's authorities do not know that of the tests")
  func system() async throws {
    let error = try await error({ $0.server }) { $0.trust = .system }
    expect(error, says: "who issued it is unknown here", "those of the system: ")
  }

  @Test("SSL_CERT_FILE names the system's authorities")
  func environment() async throws {
    // In a process of its own, whose environment it is.
    await #expect(processExitsWith: .success) {
      setenv("SSL_CERT_FILE", try certificates.get().authority, 1)
      try await withServer {
        await $0.handshake()
      } body: { meeting in
        guard await meeting.refusal(TLSContext()) == nil else { exit(1) }
        let other = try meeting.certificates.issue("self-signed", isSelfSigned: true)
        setenv("SSL_CERT_FILE", other.certificate, 1)
        let error = await meeting.refusal(TLSContext())
        guard error?.message.contains("\(other.certificate) (SSL_CERT_FILE)") == true else { exit(2) }
      }
    }
  }

  @Test("a file of authorities that is none is an error that names it, before there is a connection")
  func badFiles() async throws {
    let certificates = try certificates.get()
    let empty = try certificates.write("", to: "empty.pem")
    let other = try certificates.write("-----BEGIN CERTIFICATE-----\nnonsense", to: "nonsense.pem")
    try await withEventLoops(count: 1) { loops in
      for (path, code) in [
        ("/no/such/file", NetworkError.Code.authoritiesUnusable), (empty, .authoritiesUnusable),
        (other, .authoritiesUnusable), ("/", .authoritiesUnusable),
      ] {
        let tls = TLSContext(TLSConfiguration(trust: .file(path)))
        // Also at the second attempt, for there is nothing to keep.
        for _ in 1...2 {
          let error = await #expect(throws: NetworkError.self) {
            _ = try await loops[0].connect(to: "127.0.0.1", port: 1, tls: tls, within: .seconds(30)).loop
          }
          #expect(error?.code == code)
          #expect(error?.message.contains("the file of authorities \(path)") == true)
        }
      }
    }
  }

  @Test("a file that was missing counts as soon as it is there")
  func lateFile() async throws {
    let folder = try TemporaryFolder()
    let tls = TLSContext(TLSConfiguration(trust: .file("\(folder.path)/late.pem")))
    try await withServer {
      await $0.handshake()
    } body: { meeting in
      #expect(await meeting.refusal(tls)?.code == .authoritiesUnusable)
      try #require(link(meeting.certificates.authority, "\(folder.path)/late.pem") == 0)
      #expect(await meeting.refusal(tls) == nil)
    }
  }

  @Test("a name that can be in no certificate is an error", arguments: ["", "a b", "ü.test", "a\0b"])
  func badNames(name: String) async throws {
    let tls = TLSContext(TLSConfiguration(serverName: name))
    try await withEventLoops(count: 1) { loops in
      let error = await #expect(throws: NetworkError.self) {
        _ = try await loops[0].connect(to: "127.0.0.1", port: 1, tls: tls, within: .seconds(30)).loop
      }
      #expect(error?.code == .invalidAddress)
    }
  }
}
