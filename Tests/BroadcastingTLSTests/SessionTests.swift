//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import COpenSSLTLS
import TestSupport
import Testing

@testable import BroadcastingTLS

/// The state machine by itself: no socket, no loop.
struct SessionTests {
  /// The two halves of a connection, whose bytes the test carries.
  private struct Pair {
    let client: TLSSession
    let server: ServerSession

    init(_ change: (inout ServerRules) -> Void = { _ in }) throws {
      let certificates = try certificates.get()
      var rules = ServerRules(files: certificates.server)
      change(&rules)
      client = try TLSSession(
        LoadedTLSContext(.file(certificates.authority)), identity: TLSIdentity("localhost"), peer: "localhost:1",
        protocols: [])
      server = try ServerSession(rules)
    }

    /// Carries what the client has to send to the server.
    func carry() {
      server.feed(Array(client.output.joined()))
      client.clearOutput()
    }

    /// Shakes hands, by so many bytes at a time. How often the client had to go on.
    func handshake(pieces size: Int) throws -> Int {
      var steps = 0
      var isDone = try client.handshake()
      var isServerDone = false
      while !isDone || !isServerDone {
        carry()
        isServerDone = try server.handshake() || isServerDone
        for piece in server.takeOutput().split(size: size) {
          isDone = try piece.withUnsafeBytes { bytes in try client.lend(bytes) { try client.handshake() } } || isDone
          steps += 1
        }
      }
      return steps
    }

    /// What the client makes of `bytes`.
    func read(_ bytes: [UInt8]) throws -> (plain: [UInt8], last: TLSSession.Reading) {
      try bytes.withUnsafeBytes { bytes in try client.lend(bytes) { try readOn() } }
    }

    func readOn() throws -> (plain: [UInt8], last: TLSSession.Reading) {
      var plain: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: TLSSession.recordSize)
      while true {
        let reading = try buffer.withUnsafeMutableBytes { try client.read(into: $0) }
        guard case .bytes(let count) = reading else { return (plain, reading) }
        plain += buffer[..<count]
      }
    }
  }

  @Test("a handshake in pieces of any size, in either version", arguments: [1, 7, 10_000], [true, false])
  func pieces(size: Int, isNewest: Bool) throws {
    let pair = try Pair { if !isNewest { $0.versions = TLS1_2_VERSION...TLS1_2_VERSION } }
    let steps = try pair.handshake(pieces: size)
    #expect(size > 1 || steps > 800)
    #expect(pair.client.version == (isNewest ? "TLSv1.3" : "TLSv1.2"))
    // The newest sends tickets after it.
    #expect(pair.client.hasInput == isNewest)
    #expect(try pair.readOn() == ([], .needsInput))
  }

  @Test("records in pieces of any size", arguments: [1, 7, 16_406, 100_000])
  func records(size: Int) throws {
    let pair = try Pair()
    _ = try pair.handshake(pieces: .max)
    let all = pattern(100_000)
    pair.server.write(all)
    var plain: [UInt8] = []
    for piece in pair.server.takeOutput().split(size: size) {
      let (part, last) = try pair.read(piece)
      plain += part
      #expect(last == .needsInput)
      #expect(!pair.client.hasInput)
    }
    #expect(plain == all)
  }

  @Test("what was not read is kept, and read before what comes later")
  func kept() throws {
    let pair = try Pair()
    _ = try pair.handshake(pieces: .max)
    pair.server.write(text("one"))
    pair.server.write(text("two"))
    pair.server.takeOutput().withUnsafeBytes { bytes in pair.client.lend(bytes) {} }
    #expect(pair.client.hasInput)
    pair.server.write(text("three"))
    pair.server.shutDown()
    let (plain, last) = try pair.read(pair.server.takeOutput())
    #expect(plain == text("onetwothree"))
    #expect(last == .ended)
    #expect(try pair.readOn().last == .ended)
  }

  @Test("much is written in whole records, each of which is handed on as it is")
  func writing() throws {
    let pair = try Pair()
    _ = try pair.handshake(pieces: .max)
    pair.carry()
    let all = pattern(100_000)
    try all.withUnsafeBytes { try pair.client.write($0) }
    #expect(pair.client.output.map(\.count) == Array(repeating: 16_384 + 22, count: 6) + [100_000 - 6 * 16_384 + 22])
    pair.carry()
    #expect(try pair.server.read() == all)
    pair.client.shutDown()
    pair.carry()
    #expect(try pair.server.read() == [])
    #expect(pair.server.sawCloseNotify)
  }

  @Test("after a failure there is an alert to send, and nothing is left in the thread's queue of errors")
  func alert() throws {
    let pair = try Pair()
    _ = try pair.handshake(pieces: .max)
    pair.carry()
    pair.server.write(text("one"))
    var record = pair.server.takeOutput()
    record[record.count - 1] ^= 1
    #expect(throws: (any Error).self) { try pair.read(record) }
    #expect(!pair.client.output.isEmpty)
    pair.carry()
    #expect(throws: ServerSessionError.self) { try pair.server.read() }
    #expect(ERR_peek_error() == 0)
  }

  @Test("a request for new keys is answered, at the latest before what is written next")
  func keyUpdates() throws {
    let pair = try Pair()
    _ = try pair.handshake(pieces: .max)
    pair.carry()
    for _ in 1...3 {
      pair.server.updateKeys()
      #expect(try pair.read(pair.server.takeOutput()) == ([], .needsInput))
      try text("x").withUnsafeBytes { try pair.client.write($0) }
      #expect(pair.client.output.count == 2)
      pair.carry()
      #expect(try pair.server.read() == text("x"))
    }
  }

  @Test("whom a certificate must be for")
  func identities() throws {
    #expect(try TLSIdentity("example.test.") == TLSIdentity("example.test"))
    #expect(try TLSIdentity("fe80::1%eth0").text == "fe80::1")
    #expect(try TLSIdentity("fe80::1%eth0").kind == .address)
    #expect(try TLSIdentity("1.2.3.4").kind == .address)
    #expect(try TLSIdentity("1.2.3.4.example.test").kind == .name)
    // With a dot in front it would stand for any subdomain.
    for name in [".", ".example.test", "a..b", "*.example.test", String(repeating: "a", count: 254), "a\nb"] {
      #expect(throws: (any Error).self) { try TLSIdentity(name) }
    }
  }
}

extension [UInt8] {
  fileprivate func split(size: Int) -> [[UInt8]] {
    stride(from: 0, to: count, by: Swift.min(size, Swift.max(1, count))).map { Array(self[$0...].prefix(size)) }
  }
}
