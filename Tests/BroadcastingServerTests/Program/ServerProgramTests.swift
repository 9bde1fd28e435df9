//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingServer
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("The end of a program", .timeLimit(.minutes(1)))
struct ServerProgramTests {
  private struct Failure: Error {}

  @Test("a body that returns or throws ends it with its exit code")
  func body() async {
    await #expect(processExitsWith: .exitCode(0)) { await ServerProgram.run { _ in } }
    await #expect(processExitsWith: .exitCode(1)) { await ServerProgram.run { _ in throw Failure() } }
    await #expect(processExitsWith: .exitCode(64)) {
      await ServerProgram.run { _ in throw ProgramSettingError("PORT", "PORT is wrong.") }
    }
  }

  @Test("a signal cancels the body, and the exit code is 0 whatever it throws then", arguments: [SIGTERM, SIGINT])
  func firstSignal(_ number: CInt) async {
    await #expect(processExitsWith: .exitCode(0)) { [number] in
      _ = signal(SIGINT, SIG_DFL)
      await ServerProgram.run { _ in
        kill(getpid(), number)
        try await Task.sleep(for: .seconds(60))
      }
    }
  }

  @Test("a second signal ends at once what does not heed the first")
  func secondSignal() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      await ServerProgram.run { _ in
        kill(getpid(), SIGTERM)
        while !Task.isCancelled { await Task.yield() }
        // Given back to the system some time after the body was told to end.
        while true {
          kill(getpid(), SIGTERM)
          await Task.yield()
        }
      }
    }
  }
}
