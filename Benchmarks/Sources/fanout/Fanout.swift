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

/// Measures what it costs to hand one message to many subscribers in this process: ours, and an `AsyncStream` for each
/// subscriber.
///
/// The number that counts is CPU time per delivery, of the whole process and in user and system mode together. All
/// contenders run in turn within each round, so that what disturbs the machine disturbs all of them. The gate is a ratio
/// within this one run; seconds are no promise.
@main
struct Fanout {
  static let shapes = [1, 10, 100, 1_000].flatMap { subscribers in
    [1, 64].map { Shape(subscribers: subscribers, burst: $0) }
  }

  /// The shape that decides, and how much of `AsyncStream`'s CPU ours may take there.
  static let gate = (shape: Shape(subscribers: 1_000, burst: 64), limit: 0.05)

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

  static func run(_ options: Options) async {
    do {
      let results = try await measure(options)
      let verdict = Verdict(results, shape: gate.shape, limit: gate.limit)
      print(options.wantsJSON ? Report.json(results, verdict) : Report.table(results, verdict))
      if !verdict.holds { exit(1) }
    } catch {
      complain("\(error)")
      exit(2)
    }
  }

  static func measure(_ options: Options) async throws -> [Result] {
    var results: [Result] = []
    for shape in options.wantsGateOnly ? [gate.shape] : shapes {
      var samples: [ContenderKind: [Sample]] = [:]
      // The first round warms up, and is thrown away.
      for round in 0...options.rounds {
        for kind in ContenderKind.allCases {
          let sample = try await kind.measure(shape, deliveries: options.deliveries)
          if round > 0 { samples[kind, default: []].append(sample) }
        }
      }
      for kind in ContenderKind.allCases {
        results.append(Result(kind: kind, shape: shape, samples: samples[kind] ?? []))
      }
      complain("\(shape.subscribers) subscribers, bursts of \(shape.burst): done")
    }
    return results
  }
}
