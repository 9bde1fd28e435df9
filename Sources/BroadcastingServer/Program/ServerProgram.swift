//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a program round a server has to do as a process: settings, signals, exit codes.
///
/// ```swift
/// await ServerProgram.run { settings in
///   let broadcast = try BroadcastBackend.open(settings["BROADCAST_URL"] ?? "memory://", among: [.memory])
///   let server = BroadcastServer(broadcast, configuration: try settings.serverConfiguration(port: 8080))
///   try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
/// }
/// ```
public enum ServerProgram {
  /// How long the body may take to end after a signal.
  static let stopSeconds: UInt32 = 15

  /// Runs the body until it ends, or until SIGTERM or SIGINT cancels its task, and ends the process.
  ///
  /// The exit code is 0 after a signal and when the body returns, 64 for settings that are wrong (``ProgramSettingError``, or
  /// a URL that no backend takes), and 1 when the body throws something else. What it throws is printed in one line.
  /// A second signal ends the process at once, and so does SIGALRM when the body has not ended 15 s after the first. A SIGINT
  /// that is ignored from the beginning, as in a job that a shell has put into the background, stays ignored.
  public static func run(_ body: @escaping @Sendable (ProgramSettings) async throws -> Void) async -> Never {
    // A peer that is gone is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
    let settings = ProgramSettings { name in getenv(name).map { String(cString: $0) } }
    do {
      try await withEventLoops(count: 1) { loops in
        let signals = SignalWatch(EndingSignals.heeded(), on: loops[0])
        try await signals.open()
        try await runUntilFirstCompletes({ try await body(settings) }, { try await waitForSignal(signals) })
        await signals.close()
      }
      exit(0)
    } catch {
      ProgramOutput.printError("error: \(text(of: error))")
      exit(exitCode(for: error))
    }
  }

  private static func waitForSignal(_ signals: SignalWatch) async throws {
    guard try await signals.next() != nil else { return }
    await signals.close()
    alarm(stopSeconds)
  }

  static func exitCode(for error: any Error) -> Int32 {
    switch error {
    case is ProgramSettingError: 64
    case let error as BroadcastError where [.invalidURL, .unknownScheme].contains(error.code): 64
    default: 1
    }
  }

  static func text(of error: any Error) -> String {
    switch error {
    case let error as NetworkError: error.message
    case let error as BroadcastError: error.message
    default: "\(error)"
    }
  }
}
