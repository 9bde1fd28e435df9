//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `GET /history`: what a channel has kept, as JSON.
struct HistoryEndpoint: Sendable {
  let rules: ClientRules

  func answer(_ request: Request) async throws -> HTTPResponse {
    try request.checkOrigin()
    try checkReader(request)
    let asked = try rules.history(of: request)
    let history: History
    do throws(BroadcastError) {
      history = try await request.fanOut.history(of: asked.channel, from: asked.start, limit: asked.limit)
    } catch {
      guard error.code == .unsupportedHistory else { throw error }
      throw RequestError(.notFound, "no_history", "The channel \(asked.channel) keeps no history here.")
    }
    var response = HTTPResponse.json(AnswerBody.history(history), headers: ["Cache-Control": "no-store"])
    guard let lease = request.fanOut.pastMemory.lease(response.body.count) else {
      throw RequestError(
        .serviceUnavailable, "history_too_large",
        "The server has no memory for this answer beside others now. Ask for less at once, or come back later.",
        headers: ["Retry-After": "1"])
    }
    response.lease = lease
    return response
  }

  /// Holds a request without an origin to the policy, as a socket's with one is.
  private func checkReader(_ request: Request) throws(RequestError) {
    let headers = request.http.headers
    if headers["Origin"] != nil { return }
    let refusal = rules.origins.refusalOfReader(
      host: request.http.host, isProgram: headers[OriginPolicy.programField] != nil)
    if let refusal { throw RequestError(refusal) }
  }
}
