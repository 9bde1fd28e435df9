//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingRedis
import BroadcastingServer

await ServerProgram.run { settings in
  var redis = RedisBroadcast.Configuration()
  Chat.configure(&redis.hub)
  let broadcast = try BroadcastBackend.open(
    settings["REDIS_URL"] ?? "redis://127.0.0.1:6379", among: [.redis(redis)])
  var configuration = try settings.serverConfiguration(port: 8004)
  // A channel is written to by way of a room, and its rules.
  configuration.endpoints = .health
  // 2,000 characters, each escaped in JSON as 12.
  configuration.limits.message = 32 * 1_024
  let chat = Chat(broadcast: broadcast, server: settings["SERVER_NAME"] ?? "chat")
  let server = BroadcastServer(broadcast, configuration: configuration) { routes in
    chat.addRoutes(to: &routes)
    routes.page(
      "/", PackageResources.index_html,
      files: ["app.css": PackageResources.app_css, "app.js": PackageResources.app_js])
  }
  try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
}
