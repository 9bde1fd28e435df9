//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `GET /history`: what a channel has kept, as JSON.
struct HistoryEndpoint: Sendable {
  let broadcast: any Broadcast
  let rules: ClientRules

  func answer(_ request: Request) async throws -> HTTPResponse {
    try request.checkOrigin()
    let asked = try rules.history(of: request)
    let history: History
    do throws(BroadcastError) {
      history = try await broadcast.history(of: asked.channel, from: asked.start, limit: asked.limit)
    } catch {
      guard error.code == .unsupportedHistory else { throw error }
      throw RequestError(.notFound, "no_history", "This channel keeps no history here.")
    }
    return .json(AnswerBody.history(history), headers: ["Cache-Control": "no-store"])
  }
}
