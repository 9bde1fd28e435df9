//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import Testing

@testable import BroadcastingServer

@Suite("The settings of a program", .timeLimit(.minutes(1)))
struct ProgramSettingsTests {
  private func settings(_ variables: [String: String]) -> ProgramSettings { ProgramSettings { variables[$0] } }

  @Test("a variable that is empty is one that is not set")
  func empty() throws {
    let settings = settings(["PORT": "", "HOST": "", "DATABASE_URL": ""])
    #expect(settings["HOST"] == nil)
    let configuration = try settings.serverConfiguration(port: 1234)
    #expect(configuration.port == 1234)
    #expect(configuration.host == "127.0.0.1")
    let error = #expect(throws: ProgramSettingError.self) {
      try settings.required("DATABASE_URL", such: "postgres://localhost/app")
    }
    #expect(
      error?.message
        == "DATABASE_URL is not set. It has to be there, for instance DATABASE_URL=postgres://localhost/app")
  }

  @Test("a server listens where HOST and PORT say")
  func server() throws {
    let configuration = try settings(["PORT": "9000", "HOST": "::1"]).serverConfiguration(port: 1234)
    #expect(configuration.port == 9000)
    #expect(configuration.host == "::1")
  }

  @Test(
    "what is no such value is an error which names the variable",
    arguments: ["-1", "65536", "80 ", "eighty", "8.0", "99999999999999999999"])
  func wrong(_ text: String) {
    let error = #expect(throws: ProgramSettingError.self) {
      try settings(["PORT": text]).serverConfiguration(port: 1234)
    }
    #expect(error?.name == "PORT")
    #expect(error?.message == "PORT is “\(text)”. It has to be a whole number from 0 to 65535.")
  }

  @Test("other machines are let in only where INSECURE says so")
  func insecure() throws {
    #expect(!(try settings([:]).serverConfiguration(port: 0).origins.letsOthersIn))
    #expect(!(try settings(["INSECURE": "no"]).serverConfiguration(port: 0).origins.letsOthersIn))
    #expect(try settings(["INSECURE": "yes"]).serverConfiguration(port: 0).origins.letsOthersIn)
    #expect(throws: ProgramSettingError("INSECURE", "INSECURE is “maybe”. It has to be yes or no.")) {
      try settings(["INSECURE": "maybe"]).serverConfiguration(port: 0)
    }
  }

  @Test("settings and URLs that are wrong end the program with 64, all else with 1")
  func exitCodes() {
    #expect(ServerProgram.exitCode(for: ProgramSettingError("PORT", "none")) == 64)
    #expect(ServerProgram.exitCode(for: BroadcastError(.invalidURL, "none")) == 64)
    #expect(ServerProgram.exitCode(for: BroadcastError(.unknownScheme, "none")) == 64)
    #expect(ServerProgram.exitCode(for: BroadcastError(.unavailable, "away")) == 1)
    #expect(ServerProgram.text(of: BroadcastError(.unavailable, "It is away.")) == "It is away.")
  }
}

extension OriginPolicy {
  fileprivate var letsOthersIn: Bool { refusal(origin: nil, host: "localhost", peerIsLoopback: false) == nil }
}
