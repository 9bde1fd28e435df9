//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Answers the requests of one loop's connections by the routes.
struct RequestHandler: HTTPHandler {
  let router: Router<Routes.Endpoint>
  let checks: [Routes.Check]
  let fanOut: FanOut
  let rules: ClientRules
  let limits: WebSocketLimits
  let timeouts: WebSocketTimeouts
  let onEvent: @Sendable (ServerEvent) -> Void

  func answer(_ http: HTTPRequest, from peer: HTTPPeer) async -> HTTPAnswer {
    let path = http.path
    let match = router.match(http.method.rawValue, path.utf8, wantsSocket: http.asksForWebSocket)
    do {
      switch match {
      case .found(let endpoint, let parameters):
        let request = Request(http: http, parameters: parameters, peer: peer, fanOut: fanOut)
        for check in checks { try await check(request) }
        for check in endpoint.checks { try await check(request) }
        switch endpoint.action {
        case .handler(let handler): return .response(try await handler(request))
        case .socket(let accept): return try await upgrade(request, accept)
        }
      default:
        // Whoever may not use the server is not told either what there is.
        let request = Request(http: http, parameters: .init(), peer: peer, fanOut: fanOut)
        for check in checks { try await check(request) }
        return .response(try refuse(match, path))
      }
    } catch {
      return .response(response(to: error, path))
    }
  }

  func answer(_ error: HTTPError) -> HTTPResponse { RequestError(error).response }

  private func upgrade(
    _ request: Request, _ accept: @Sendable (Request) async throws -> Routes.SocketHandler
  ) async throws -> HTTPAnswer {
    try rules.checkOrigin(of: request)
    switch WebSocketHandshake.answer(request.http) {
    case .refuse(let response):
      return .response(response)
    case .accept(let response, _):
      let path = request.http.path
      let handler = try await accept(request)
      var head: [UInt8] = []
      try HTTPSerializer.append(response, to: &head)
      let task = WebSocketTask(body: handler) { [onEvent] error in
        let closure = WebSocketClosure(thrown: error)
        if closure.code == .internalError { onEvent(.handlerFailed(path: path, error: error)) }
        return closure
      }
      return .upgrade(WebSocketUpgrade(head: head, limits: limits, timeouts: timeouts, task: task))
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
    if answer.status == .internalServerError { onEvent(.handlerFailed(path: path, error: error)) }
    return answer.response
  }
}
