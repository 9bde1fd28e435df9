//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingKafka
import BroadcastingNetwork
import BroadcastingPostgres
import BroadcastingRedis
import measuring

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Measures publishing over a broker, each message being received by a subscription of the same program.
///
/// A process measures one thing, so that `scripts/bench` can let it and the C programs take turns.
@main
struct Brokers {
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
      print(try await measure(options).json)
    } catch {
      complain("brokers: \(error)")
      exit(2)
    }
  }

  /// On the pool from here on, and not on the main thread.
  @concurrent
  private static func measure(_ options: Options) async throws -> Measurement {
    switch options.place {
    case .pool:
      return try await measure(options, on: nil)
    case .loop:
      return try await withEventLoops(count: 1) { loops in
        try await withTaskExecutorPreference(loops[0]) { try await measure(options, on: loops[0]) }
      }
    }
  }

  private static func measure(_ options: Options, on loop: EventLoop?) async throws -> Measurement {
    var redis = RedisBroadcast.Configuration()
    redis.loop = loop
    var postgres = PostgresBroadcast.Configuration()
    postgres.loop = loop
    var kafka = KafkaBroadcast.Configuration()
    kafka.loop = loop
    let backends = [BroadcastBackend.redis(redis), .postgres(postgres), .kafka(kafka)]
    return try await withBroadcast(options.url, among: backends) { broadcast in
      let load = Load(broadcast: broadcast, isStamped: options.isStamped)
      // The first part warms up.
      _ = try await load.measure(options.work, messages: max(1, options.messages / 10))
      return try await load.measure(options.work, messages: options.messages)
    }
  }
}
