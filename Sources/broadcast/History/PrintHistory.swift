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

/// `broadcast history`.
struct PrintHistory {
  private let options: HistoryOptions
  private let output = OutputWriter(StandardStream.output)
  private let notes = Notes()

  init(_ options: HistoryOptions) { self.options = options }

  func run() async -> ExitCode {
    // A reader that is gone is an error of the write, and ends the program by its own words.
    signal(SIGPIPE, SIG_IGN)
    do {
      let format = try MessageFormat.chosen(
        isJSON: options.isJSON, isBinary: options.isBinary, isTerminal: StandardStream.isTerminal(StandardStream.output)
      )
      let limits = TargetLimits(history: .init())
      try await TargetConnection.run(options.connection, limits: limits, tell: { notes($0) }) { connection in
        try await connection.connected()
        try await print(from: connection, as: format)
      }
      return .success
    } catch let failure as StreamFailure where failure.code == .closed {
      return .success
    } catch {
      return Failure(error).tell()
    }
  }

  /// Page by page, so that a large history is never in memory as a whole.
  private func print(from connection: TargetConnection, as format: MessageFormat) async throws {
    let channel = Channel(options.channel)
    var left = options.count ?? (options.after == nil ? 100 : .max)
    var start = options.after.map { SubscriptionStart.after($0) } ?? .last(left)
    while true {
      let history = try await retrying(options.connection.retries) { [start, left] () async throws(BroadcastError) in
        try await connection.broadcast.history(of: channel, from: start, limit: min(left, History.maximumMessages))
      } onFailure: { error in
        if options.connection.retries, error.isRetriable { connection.tellFailed(error) }
      }
      if !history.isComplete {
        try await output.flush()
        notes("some messages of \(channel) that were asked for are no longer there")
      }
      for message in history.messages { try await output.write(format.bytes(of: message, at: nil)) }
      left -= history.messages.count
      guard history.hasMore, left > 0 else { return try await output.flush() }
      start = history.next
    }
  }
}
