//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import measuring

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Measures what a history costs a publish beside none, what it costs to begin with one, and what presence costs with
/// many members beside few.
///
/// What is compared takes turns within each round, so that what disturbs the machine disturbs all of it. The gates are ratios
/// within this one run; seconds are no promise.
@main
struct HistoryBenchmark {
  static let publishingLimit = 3.0
  static let presenceLimit = 2.0

  static func main() async {
    do throws(OptionError) {
      let options = try Options(CommandLine.arguments.dropFirst())
      if options.wantsHelp {
        print(Options.help)
        return
      }
      await run(options)
    } catch {
      complain("\(error.message)\n\(Options.help)")
      exit(64)
    }
  }

  private static func run(_ options: Options) async {
    do {
      var results = [try await measure(.memory, options)]
      if let url = options.redis, !options.wantsGate { results.append(try await measure(.redis(url), options)) }
      print(options.wantsJSON ? Report.json(results) : Report.table(results))
      guard let memory = results.first, memory.history.median <= publishingLimit,
        memory.members.median <= presenceLimit
      else {
        complain("A history, or presence with many members, costs more than it should: see --help.")
        exit(1)
      }
    } catch {
      complain("history: \(error)")
      exit(2)
    }
  }

  /// On the pool from here on, and not on the main thread.
  @concurrent
  private static func measure(_ place: Place, _ options: Options) async throws -> Result {
    var result = Result(place: place.name)
    // The first round warms up, and is thrown away.
    for round in 0...options.rounds {
      let without = try await place.withBroadcast(keeping: false) { try await publish(through: $0, at: place) }
      let with = try await place.withBroadcast(keeping: true) { try await publish(through: $0, at: place) }
      let few = try await place.withBroadcast(keeping: false) {
        try await Presence.measure($0, beside: Presence.few, changes: place.changes)
      }
      let many = try await place.withBroadcast(keeping: false) {
        try await Presence.measure($0, beside: Presence.many, changes: place.changes)
      }
      let joining = options.wantsGate ? nil : try await join(at: place, round)
      if round > 0 { result.add(without: without, with: with, joining: joining, few: few, many: many) }
      complain("\(place.name): round \(round) of \(options.rounds)")
    }
    return result
  }

  private static func publish(through broadcast: any Broadcast, at place: Place) async throws -> Cost {
    switch place {
    case .memory: try await Publishing.measureInTurn(broadcast, messages: place.messages)
    case .redis: try await Publishing.measureAtOnce(broadcast, messages: place.messages)
    }
  }

  private static func join(at place: Place, _ round: Int) async throws -> Cost {
    let channel = Channel("joining.\(round)")
    switch place {
    case .memory:
      return try await place.withBroadcast(keeping: true) { broadcast in
        try await Joining.prepare(broadcast, channel)
        return try await Joining.measure(broadcast, channel)
      }
    case .redis:
      try await place.withBroadcast(keeping: true) { try await Joining.prepare($0, channel) }
      return try await place.withBroadcast(keeping: true) { try await Joining.measure($0, channel) }
    }
  }
}
