//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingWeb

/// `POST /push`: publishes a body.
struct PushEndpoint: Sendable {
  /// What a JSON body may have beside its message: the longest channel name with each byte escaped, names of fields,
  /// white space.
  static let roomAroundMessage = 4096

  let broadcast: any Broadcast
  let rules: ClientRules
  let gate: PushGate

  func answer(_ request: Request) async throws -> HTTPResponse {
    try request.checkOrigin()
    let type = try PushMediaType(of: request.http)
    return try await gate.pass {
      switch type {
      case .json: try await pushJSON(request)
      case .text: try await push(request, .text)
      case .binary: try await push(request, .binary)
      }
    }
  }

  private func pushJSON(_ request: Request) async throws -> HTTPResponse {
    try rules.checkNoChannel(inQueryOf: request)
    let body: PushBody
    do throws(PushError) { body = try PushBody(parsing: request.http.body) } catch { throw RequestError(error) }
    let channel = Channel(body.channel)
    try rules.check(channel)
    // The text as it came: digits, the order of keys and the spelling of strings are the sender's.
    let message = request.http.body[body.message]
    try rules.check(size: message.count)
    let receipt = try await broadcast.publish(Message(validUTF8: Array(message), to: channel))
    return .json(AnswerBody.pushed(channel: body.channel, message: message, position: receipt.position))
  }

  /// The body is the message, and the channel stands in the query.
  private func push(_ request: Request, _ kind: Message.Kind) async throws -> HTTPResponse {
    let channel = try rules.channel(of: request)
    try rules.check(size: request.http.body.count)
    let body = request.http.body
    switch kind {
    case .text:
      let receipt = try await broadcast.publish(Message(utf8: body, to: channel))
      return .json(AnswerBody.pushed(channel: channel.name, message: body[...], position: receipt.position))
    case .binary:
      let receipt = try await broadcast.publish(Message(body, to: channel))
      return .json(AnswerBody.pushed(channel: channel.name, bytes: body.count, position: receipt.position))
    }
  }
}
