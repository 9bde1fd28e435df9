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
