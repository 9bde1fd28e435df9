//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `broadcast bench`: puts a server under load, and says what it did.
struct Bench {
  private let options: BenchOptions

  init(_ options: BenchOptions) { self.options = options }

  func run() async -> ExitCode {
    // A peer that is gone is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
    do {
      try checkDescriptors()
      // One: what is measured is the server, and it shall not have to share the processors with more than one thread.
      let result = try await withEventLoops(count: 1) { loops in
        try await withTaskExecutorPreference(loops[0]) {
          try await LoadRun(options, on: loops[0]).run()
        }
      }
      return tell(result)
    } catch {
      return Failure(error).tell()
    }
  }

  private func tell(_ result: BenchResult) -> ExitCode {
    var text = ""
    if options.printsJSON {
      text = BenchJSON(result).text
    } else if result.failure == nil || result.counts.expected > 0 {
      text = BenchTable(result).text
    }
    if !StandardStream.print(text, to: StandardStream.output) { return .outputFailed }
    _ = result.failure?.tell()
    return result.exitCode
  }

  private func checkDescriptors() throws(Failure) {
    let limit = DescriptorLimit.raise()
    let needed = options.subscribers + options.connectionCount + 32
    guard needed <= limit else {
      throw Failure(
        "\(options.subscribers) subscribers and \(options.connectionCount) connections need \(needed) open files, and"
          + " \(limit) are allowed; raise the limit (ulimit -n)", .misuse)
    }
  }
}
