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

/// `broadcast presence`.
struct ShowPresence {
  private let options: PresenceOptions
  private let output = OutputWriter(StandardStream.output)
  private let notes = Notes()

  init(_ options: PresenceOptions) { self.options = options }

  func run() async -> ExitCode {
    // A reader that is gone is an error of the write, and ends the program by its own words.
    signal(SIGPIPE, SIG_IGN)
    let ending = Ending()
    do {
      try await TargetConnection.run(options.connection, limits: TargetLimits(), tell: { notes($0) }) { connection in
        let signals = SignalWatch(EndingSignals.heeded(), on: connection.loop)
        try await signals.open()
        try await runUntilFirstCompletes(
          {
            try await runUntilFirstCompletes(
              { try await show(through: connection) },
              { if let failure = await output.closed() { throw failure } })
          },
          { ending.set(try await signals.next()) })
        await signals.close()
      }
    } catch let failure as StreamFailure where failure.code == .closed {
      return .success
    } catch {
      return Failure(error).tell()
    }
    // By then its members have left.
    if let number = ending.signal { Self.end(by: number) }
    return .success
  }

  private func show(through connection: TargetConnection) async throws {
    try await connection.connected()
    let channel = Channel(options.channel)
    var entries: [PresenceEntry] = []
    for name in options.names {
      let member = PresenceMember(name, info: options.info)
      entries.append(
        try await repeating(connection) { () async throws(BroadcastError) in
          try await connection.broadcast.enterPresence(on: channel, as: member)
        })
    }
    if !entries.isEmpty { notes("present on \(channel) as \(options.names.joined(separator: ", "))") }
    if options.watches {
      try await watch(channel, through: connection)
    } else if entries.isEmpty {
      let members = try await repeating(connection) { () async throws(BroadcastError) in
        try await connection.broadcast.presence(of: channel)
      }
      for member in members { try await output.write(format.line(member)) }
      try await output.flush()
    } else {
      // Until a signal ends it.
      try await Task.sleep(for: .seconds(86_400 * 365 * 100))
    }
    withExtendedLifetime(entries) {}
  }

  private func watch(_ channel: Channel, through connection: TargetConnection) async throws {
    let updates = try await repeating(connection) { () async throws(BroadcastError) in
      try await connection.broadcast.presenceUpdates(of: channel)
    }
    for try await update in updates {
      switch update {
      case .present(let members):
        notes("\(members.count) \(members.count == 1 ? "member is" : "members are") present on \(channel)")
        for member in members { try await output.write(format.line(member, "present")) }
      case .joined(let member): try await output.write(format.line(member, "joined"))
      case .left(let member): try await output.write(format.line(member, "left"))
      case .changed(let member): try await output.write(format.line(member, "changed"))
      }
    }
  }

  private func repeating<Result>(
    _ connection: TargetConnection, _ call: () async throws(BroadcastError) -> Result
  ) async throws -> Result {
    try await retrying(options.connection.retries, call) { error in
      if options.connection.retries, error.isRetriable { connection.tellFailed(error) }
    }
  }

  private var format: PresenceFormat {
    if !options.isJSON { return .text }
    return StandardStream.isTerminal(StandardStream.output) ? .terminalJSON : .json
  }

  /// Ends the program as the signal would have, had nobody waited for it.
  private static func end(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    kill(getpid(), number)
    // Where the signal is blocked: the code that a shell gives for it.
    exit(128 + number)
  }
}

/// The signal that has come.
private final class Ending: Sendable {
  private let number = Lock<Int32?>(nil)

  var signal: Int32? { number.withLock { $0 } }

  func set(_ number: Int32?) { self.number.withLock { $0 = number } }
}
