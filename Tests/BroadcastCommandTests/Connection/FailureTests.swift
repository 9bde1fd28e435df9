//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingNetwork
import Testing

@testable import broadcast

@Suite("How failures end a command")
struct FailureTests {
  @Test(
    "an error has curl's exit code",
    arguments: [
      (.invalidURL, 3), (.unknownScheme, 1), (.timedOut, 28), (.unavailable, 7),
      (.invalidChannel, 22), (.messageTooLarge, 22), (.refused, 22), (.alreadyRunning, 2),
    ] as [(BroadcastError.Code, Int32)])
  func codes(code: BroadcastError.Code, exit: Int32) {
    #expect(Failure(BroadcastError(code, "x")) == Failure("x", ExitCode(rawValue: exit)))
  }

  @Test(
    "a network's error has curl's exit code",
    arguments: [
      (.notFound, 6), (.lookUpFailed, 6), (.refused, 7), (.unreachable, 7), (.descriptorsExhausted, 7),
      (.timedOut, 28), (.reset, 56), (.closed, 56), (.tlsFailed, 35), (.authoritiesUnusable, 77),
    ] as [(NetworkError.Code, Int32)])
  func network(code: NetworkError.Code, exit: Int32) {
    let error = BroadcastError(.unavailable, "x", underlying: NetworkError(code, "y"))
    #expect(Failure(error) == Failure("x", ExitCode(rawValue: exit)))
  }

  @Test("a certificate that is refused names the option for another authority")
  func certificate() {
    let error = BroadcastError(.refused, "x", underlying: NetworkError(.certificateRefused, "y"))
    #expect(Failure(error).exitCode == .untrusted && Failure(error).message.contains("--ca-file"))
  }

  @Test("what is no HTTP is no server of broadcasts")
  func strangeAnswer() {
    let error = BroadcastError(.refused, "x", underlying: HTTPError(.malformed, "y"))
    #expect(Failure(error) == Failure("x", .strangeAnswer))
  }

  @Test(
    "a server's answer counts by its status",
    arguments: [(200, 8), (302, 47), (401, 22), (404, 22), (503, 22)] as [(Int, Int32)])
  func statuses(status: Int, exit: Int32) {
    let error = BroadcastError(.refused, "x", underlying: ServerRefusal(status: status))
    #expect(Failure(error) == Failure("x", ExitCode(rawValue: exit)))
  }

  @Test("the cause is what counts where a connection is lost or never came")
  func causes() {
    let cause = BroadcastError(.timedOut, "no answer")
    let lost = BroadcastError(.unavailable, "lost", underlying: cause)
    #expect(Failure(lost) == Failure("no answer", .timedOut))
    #expect(Failure(BroadcastError(.notRunning, "ended", underlying: lost)) == Failure("no answer", .timedOut))
  }
}
