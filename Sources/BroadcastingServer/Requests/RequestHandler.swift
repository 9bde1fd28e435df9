//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Answers the requests of one loop's connections by the routes.
final class RequestHandler: HTTPHandler {
  private let routes: Routes
  private let fanOut: FanOut
  private let rules: ClientRules
  private let onEvent: @Sendable (ServerEvent) -> Void
  let sockets: WebSocketSettings

  init(
    _ routes: Routes, _ fanOut: FanOut, _ rules: ClientRules, sockets: WebSocketSettings,
    onEvent: @escaping @Sendable (ServerEvent) -> Void
  ) {
    self.routes = routes
    self.fanOut = fanOut
    self.rules = rules
    self.sockets = sockets
    self.onEvent = onEvent
  }

  func answer(_ http: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer {
    let path = http.path
    switch routes.router.match(http.method.rawValue, path.utf8, wantsSocket: http.asksForWebSocket) {
    case .found(let endpoint, let parameters):
      let request = Request(http: http, parameters: parameters, peer: peer, fanOut: fanOut, rules: rules)
      let answer: HTTPAnswer
      do { answer = try await self.answer(request, endpoint) } catch { answer = .response(response(to: error, path)) }
      guard endpoint.sharedMethod != nil, case .response(let response) = answer else { return answer }
      return .response(rules.share(response, with: http))
    case let match:
      do {
        // Whoever may not use the server is not told either what there is.
        let request = Request(http: http, parameters: .init(), peer: peer, fanOut: fanOut, rules: rules)
        for check in routes.checks { try await check(request) }
        return .response(try refuse(match, path))
      } catch {
        return .response(response(to: error, path))
      }
    }
  }

  func answer(_ error: HTTPError) -> HTTPResponse {
    let response = RequestError(error).response
    guard let request = error.request,
      case .found(let endpoint, _) = routes.router.match(request.method.rawValue, request.path.utf8),
      endpoint.sharedMethod != nil
    else { return response }
    return rules.share(response, with: request)
  }

  func closure(after error: any Error) -> WebSocketClosure {
    let closure = WebSocketClosure(thrown: error)
    if let kind = failure(error, else: closure.code == .internalError ? .socketFailed : nil) {
      onEvent(ServerEvent(kind, error: error))
    }
    return closure
  }

  private func answer(_ request: Request, _ endpoint: Routes.Endpoint) async throws -> HTTPAnswer {
    if let method = endpoint.sharedMethod, let preflight = try rules.answerPreflight(request, to: method) {
      return .response(preflight)
    }
    for check in routes.checks { try await check(request) }
    for check in endpoint.checks { try await check(request) }
    switch endpoint.action {
    case .handler(let handler): return .response(try await handler(request))
    case .socket(let accept): return try await upgrade(request, accept)
    }
  }

  private func upgrade(
    _ request: Request, _ accept: @Sendable (Request) async throws -> Routes.Acceptance
  ) async throws -> HTTPAnswer {
    try request.checkOrigin()
    switch WebSocketHandshake.answer(request.http) {
    case .refuse(let response):
      throw RequestError(refusedHandshake: response)
    case .accept(var response, _):
      let acceptance = try await accept(request)
      for (name, value) in acceptance.headers { response.headers.append(name, value) }
      var head: [UInt8] = []
      try HTTPSerializer.append(response, to: &head)
      return .upgrade(WebSocketUpgrade(head: head, body: acceptance.handler))
    }
  }

  private func refuse(_ match: RouteMatch<Routes.Endpoint>, _ path: String) throws(RequestError) -> HTTPResponse {
    switch match {
    case .options(let allow):
      return .empty(.noContent, headers: ["Allow": allow])
    case .methodNotAllowed(let allow):
      throw RequestError(
        .methodNotAllowed, "method_not_allowed", "This path takes \(allow).", headers: ["Allow": allow])
    case .upgradeRequired:
      throw RequestError(
        .upgradeRequired, "upgrade_required", "This is a WebSocket. Connect with ws:// and not with http://.",
        headers: ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"])
    case .malformedPath:
      throw RequestError(.badRequest, "malformed_path", "The path has a wrong % escape, or is not UTF-8.")
    case .notFound, .found:
      throw RequestError(.notFound, "not_found", "There is nothing at this path.")
    }
  }

  private func response(to error: any Error, _ path: String) -> HTTPResponse {
    let answer = RequestError(thrown: error)
    if let kind = failure(error, else: answer.status == .internalServerError ? .handlerFailed : nil) {
      onEvent(ServerEvent(kind, path: path, error: error))
    }
    return answer.response
  }

  /// What the program is told of an error, where clients don't get its text.
  private func failure(_ error: any Error, else kind: ServerEvent.Kind?) -> ServerEvent.Kind? {
    (error as? BroadcastError)?.isBrokerFault == true ? .brokerFailed : kind
  }
}
