//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingClient
import BroadcastingNetwork
import TestSupport
import Testing

@Suite("A client of a secure server", .enabled(if: Tool.nginx.isWanted, "nginx is missing"), .timeLimit(.minutes(1)))
struct SecureTests {
  @Test("an unknown authority is refused at once, and says so")
  func unknownAuthority() async throws {
    let certificates = try TestCertificates()
    let other = try TestCertificates()
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    var configuration = RemoteBroadcast.Configuration.quick()
    configuration.hub.connectPatience = .seconds(60)
    configuration.tls = TLSConfiguration(trust: .file(other.authority))
    let broadcast = try RemoteBroadcast(proxy.url, configuration: configuration)
    let error = await failure { try await broadcast.run() }
    #expect(error?.code == .refused)
    #expect(error?.isRetriable == false)
    #expect((error?.underlying as? NetworkError)?.code == .certificateRefused)
    try await server.stop()
  }

  @Test("https to a port without TLS is refused at once")
  func plainServer() async throws {
    let server = try await ServerProcess()
    var configuration = RemoteBroadcast.Configuration.quick()
    configuration.hub.connectPatience = .seconds(60)
    let certificates = try TestCertificates()
    configuration.tls = TLSConfiguration(trust: .file(certificates.authority))
    let broadcast = try RemoteBroadcast("https://127.0.0.1:\(server.port)", configuration: configuration)
    let error = await failure { try await broadcast.run() }
    #expect(error?.isRetriable == false)
    #expect((error?.underlying as? NetworkError)?.code == .tlsFailed)
    try await server.stop()
  }

  @Test("a handshake that is cut is tried again", arguments: [FaultyProxy.Mode.cutBeforeAnswer, .cutInAnswer])
  func cutHandshake(mode: FaultyProxy.Mode) async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    try await FaultyProxy.with(to: proxy.port) { line in
      await line.set(mode)
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.tls = TLSConfiguration(trust: .file(certificates.authority))
      let broadcast = try RemoteBroadcast("https://localhost:\(line.port)", configuration: configuration)
      let error = await failure { try await broadcast.run() }
      #expect(error?.code == .unavailable)
      #expect(error?.isRetriable == true)
    }
    try await server.stop()
  }

  @Test("http to a port with TLS is refused at once")
  func secureServer() async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess()
    let proxy = try await NginxProcess(upstream: server.address, tls: certificates)
    var configuration = RemoteBroadcast.Configuration.quick()
    configuration.hub.connectPatience = .seconds(60)
    let broadcast = try RemoteBroadcast("http://127.0.0.1:\(proxy.port)", configuration: configuration)
    let error = await failure { try await broadcast.run() }
    #expect(error?.isRetriable == false)
    #expect((error?.underlying as? ServerRefusal)?.status == 400)
    try await server.stop()
  }

  @Test("a server behind TLS that dies and comes back is a gap, and then its messages")
  func comesBack() async throws {
    let certificates = try TestCertificates()
    let server = try await ServerProcess()
    let first = try await NginxProcess(upstream: server.address, tls: certificates)
    try await FaultyProxy.with(to: first.port) { line in
      var configuration = RemoteBroadcast.Configuration.quick()
      configuration.tls = TLSConfiguration(trust: .file(certificates.authority))
      try await withClient("wss://localhost:\(line.port)", configuration) { client in
        var deliveries = try await client.subscribe(to: "a").makeAsyncIterator()
        try await client.publish("before", to: "a")
        #expect(try await deliveries.next() == .message(Message("before", to: "a")))
        await line.cut()
        #expect(try await deliveries.next() == .gap(Gap(channel: "a", missed: nil, reason: .connectionLost)))
        try await settle { (try? await client.publish("after", to: "a")) != nil }
        #expect(try await deliveries.next() == .message(Message("after", to: "a")))
      }
    }
    try await server.stop()
  }
}
