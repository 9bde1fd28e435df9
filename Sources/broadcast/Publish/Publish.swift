//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `broadcast publish`.
struct Publish {
  private let options: PublishOptions
  private let notes = Notes()

  init(_ options: PublishOptions) { self.options = options }

  func run() async -> ExitCode {
    // A peer that is gone is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
    let limits = TargetLimits(maxMessage: options.maxMessage, history: options.history)
    do {
      if options.history != nil, try Target(options.connection.target).isServer {
        throw Failure("--history is for a broker: what a server keeps is said by its own --history", .misuse)
      }
      // Without another attempt a lost connection is what the message fails with, and told then.
      let tell: @Sendable (String) -> Void = { [notes, retries = options.connection.retries] in if retries { notes($0) }
      }
      try await TargetConnection.run(options.connection, limits: limits, tell: tell) { connection in
        try await publish(through: connection)
      }
      return .success
    } catch let failure as PublishFailure {
      return failure.cause.tell(failure.report)
    } catch {
      return Failure(error).tell("nothing was sent")
    }
  }

  private func publish(through connection: TargetConnection) async throws {
    let publisher = Publisher(
      connection.broadcast, to: Channel(options.channel), retries: options.connection.retries, limit: options.maxMessage
    ) { [retries = options.connection.retries] error in
      if retries { connection.tellFailed(error) }
    }
    do {
      // So a server that isn't there is told before somebody has typed a line for it.
      try await connection.connected()
      try await publish(by: publisher, on: connection.loop)
    } catch {
      throw PublishFailure(cause: Failure(error), report: report(publisher.progress))
    }
  }

  private func publish(by publisher: Publisher, on loop: EventLoop) async throws {
    let channel = Channel(options.channel)
    if let message = options.message {
      let bytes = Message(Array(message.utf8), to: channel)
      return try await publisher.publish(options.isBinary ? bytes : Message(message, to: channel))
    }
    let signals = SignalWatch(EndingSignals.heeded(), on: loop)
    try await signals.open()
    if StandardStream.isTerminal(StandardStream.input) {
      notes("reading \(options.isBinary ? "bytes" : "lines") until Ctrl-D")
    }
    let input = InputReader(StandardStream.input)
    try await runUntilFirstCompletes(
      { [isBinary = options.isBinary] in
        let read: () async throws(StreamFailure) -> [UInt8] = { () async throws(StreamFailure) in try await input.read()
        }
        if isBinary { try await publisher.publishBytes(read) } else { try await publisher.publishLines(read) }
      },
      {
        guard let number = try await signals.next() else { return }
        await signals.close()
        Self.end(by: number, report(publisher.progress))
      })
    await signals.close()
  }

  /// What became of the messages.
  private func report(_ progress: PublishProgress) -> String {
    if options.message == nil, !options.isBinary { return progress.report }
    return progress.isUnconfirmed ? "the message may have arrived" : "the message was not sent"
  }

  /// Ends the program as the signal would have, had nobody waited for it.
  private static func end(by number: Int32, _ words: String) -> Never {
    StandardStream.print("broadcast: \(words)\n", to: StandardStream.error)
    signal(number, SIG_DFL)
    kill(getpid(), number)
    // Where the signal is blocked: the code that a shell gives for it.
    exit(128 + number)
  }
}

/// Why publishing failed, and what became of the messages.
private struct PublishFailure: Error {
  let cause: Failure
  let report: String
}
