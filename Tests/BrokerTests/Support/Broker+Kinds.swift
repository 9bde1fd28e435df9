//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingPostgres
import BroadcastingRedis
import TestSupport

extension Broker {
  static let redis = Broker(
    name: "Redis", tools: [.redis, .redisCLI], variable: "BROADCAST_TEST_REDIS_URL", listeningWords: "SUBSCRIBE",
    serve: { _, body in try await RedisServer.with { try await body($0) } },
    withPassword: { password, body in
      var options = RedisServer.Options()
      options.password = password
      try await RedisServer.with(options) { try await body($0) }
    },
    scheme: "redis", user: "",
    open: { url, events in
      try BroadcastBackend.open(url, among: [.redis(RedisBroadcast.Configuration { events.append($0) })])
    })

  /// Each channel has a history, of which those of the conformance suite are short.
  static let redisHistory: Broker = {
    var broker = redis
    broker.name = "Redis with histories"
    broker.keepsMessages = true
    broker.hasHistories = true
    broker.open = { url, events in
      var configuration = RedisBroadcast.Configuration { events.append($0) }
      configuration.hub.history = [
        .init("conformance.history.*", HistoryPolicy(maximumMessages: 50)),
        .init("*", HistoryPolicy(maximumMessages: 50_000, maximumBytes: HistoryPolicy.greatestBytes)),
      ]
      return try BroadcastBackend.open(url, among: [.redis(configuration)])
    }
    return broker
  }()

  static let postgres = Broker(
    name: "PostgreSQL", tools: [.postgres, .initdb, .psql], variable: "BROADCAST_TEST_POSTGRES_URL",
    listeningWords: "LISTEN",
    serve: { _, body in try await PostgresServer.with { try await body($0) } },
    withPassword: { password, body in
      var options = PostgresServer.Options()
      options.password = password
      try await PostgresServer.with(options) { try await body($0) }
    },
    scheme: "postgres", user: "postgres",
    open: { url, events in
      try BroadcastBackend.open(url, among: [.postgres(PostgresBroadcast.Configuration { events.append($0) })])
    })
}
