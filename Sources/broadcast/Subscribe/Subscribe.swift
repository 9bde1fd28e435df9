//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking
import BroadcastingNetwork
import BroadcastingServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `broadcast subscribe`.
struct Subscribe {
  private let options: SubscribeOptions
  private let output = OutputWriter(StandardStream.output)
  private let notes = Notes()

  init(_ options: SubscribeOptions) { self.options = options }

  func run() async -> ExitCode {
    // A reader that is gone is an error of the write, and ends the program by its own words.
    signal(SIGPIPE, SIG_IGN)
    do {
      let printer = Printer(
        output: output, notes: notes,
        format: try options.format(isTerminal: StandardStream.isTerminal(StandardStream.output)), count: options.count)
      let limits = TargetLimits(
        maxBuffered: options.maxBacklog, history: options.start == .live ? nil : .init())
      try await TargetConnection.run(options.connection, limits: limits, tell: { notes($0) }) { connection in
        try await runUntilFirstCompletes(
          { try await print(from: connection, by: printer) },
          { try await waitForReaderToGo() })
      }
      return .success
    } catch let failure as StreamFailure where failure.code == .closed {
      return .success
    } catch {
      return Failure(error).tell()
    }
  }

  private func print(from connection: TargetConnection, by printer: Printer) async throws {
    try await connection.connected()
    let buffer = BufferPolicy.dropOldest(maximumMessages: .max, maximumBytes: options.maxBacklog)
    var channels: [Channel] = []
    for channel in options.channels.map({ Channel($0) }) where !channels.contains(channel) { channels.append(channel) }
    let subscription = try await retrying(options.connection.retries) { () async throws(BroadcastError) in
      try await connection.broadcast.subscribe(to: channels, options: .init(buffer: buffer, start: options.start))
    } onFailure: { error in
      if options.connection.retries, error.isRetriable { connection.tellFailed(error) }
    }
    notes("subscribed to \(channels.map(\.name).joined(separator: ", "))")
    if options.start != .live { for channel in channels { tellRecovery(of: channel, subscription) } }
    try await printer.print(subscription)
  }

  private func tellRecovery(of channel: Channel, _ subscription: Subscription) {
    guard let recovery = subscription.recovery(of: channel) else { return }
    let count = "recovered \(recovery.messages) message\(recovery.messages == 1 ? "" : "s") of \(channel)"
    notes(recovery.isComplete ? count : "\(count); what was asked for is no longer all there")
  }

  private func waitForReaderToGo() async throws {
    if let failure = await output.closed() { throw failure }
  }
}
