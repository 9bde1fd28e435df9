//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingKafka
import BroadcastingPostgres
import BroadcastingRedis
import BroadcastingServer

await ServerProgram.run { settings in
  let broadcast = try BroadcastBackend.open(
    settings["BROADCAST_URL"] ?? "memory://", among: [.memory, .redis, .postgres, .kafka])
  // POST /push publishes, the WebSocket /events delivers: what clients name no channel for goes through "events".
  let server = BroadcastServer(broadcast, configuration: try settings.serverConfiguration(port: 1234))
  try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
}
