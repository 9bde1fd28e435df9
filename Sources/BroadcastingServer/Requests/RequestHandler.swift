//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Answers the requests of one loop's connections by the routes, and those that come on sockets.
final class RequestHandler: HTTPHandler {
  private let routes: Routes
  let fanOut: FanOut
  let rules: ClientRules
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
    let match = routes.router.match(http.method.rawValue, path.utf8, wantsSocket: http.asksForWebSocket)
    let answer: HTTPAnswer
    do {
      answer = try await serve(http, match, path, from: peer)
    } catch {
      answer = .response(requestError(error, path).response)
    }
    guard case .found(let endpoint, _) = match, endpoint.sharedMethod != nil, case .response(let response) = answer
    else { return answer }
    return .response(rules.share(response, with: http))
  }

  /// Answers a request that did not come over HTTP: by the same routes, checks and limits.
  ///
  /// - Parameter http: must not ask to become a WebSocket, which it has no connection for.
  /// - Throws: what a response over HTTP would say of an error.
  func respond(to http: HTTPRequest, from peer: HTTPPeer) async throws(RequestError) -> HTTPResponse {
    let path = http.path
    let match = routes.router.match(http.method.rawValue, path.utf8)
    do {
      guard case .response(let response) = try await serve(http, match, path, from: peer) else {
        throw RequestError.upgradeRequired
      }
      return response
    } catch {
      throw requestError(error, path)
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

  private func serve(
    _ http: HTTPRequest, _ match: RouteMatch<Routes.Endpoint>, _ path: String, from peer: HTTPPeer
  ) async throws -> HTTPAnswer {
    guard case .found(let endpoint, let parameters) = match else {
      // Whoever may not use the server is not told either what there is.
      let request = Request(http: http, parameters: .init(), peer: peer, handler: self)
      for check in routes.checks { try await check(request) }
      return .response(try refuse(match, path))
    }
    let request = Request(http: http, parameters: parameters, peer: peer, handler: self)
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
      throw .upgradeRequired
    case .malformedPath:
      throw RequestError(.badRequest, "malformed_path", "The path has a wrong % escape, or is not UTF-8.")
    case .notFound, .found:
      throw RequestError(.notFound, "not_found", "There is nothing at this path.")
    }
  }

  /// What a client gets of an error. What is the program's fault, or the broker's, it is told.
  func requestError(_ error: any Error, _ path: String) -> RequestError {
    let answer = RequestError(thrown: error)
    if let kind = failure(error, else: answer.status == .internalServerError ? .handlerFailed : nil) {
      onEvent(ServerEvent(kind, path: path, error: error))
    }
    return answer
  }

  /// What the program is told of an error, where clients don't get its text.
  private func failure(_ error: any Error, else kind: ServerEvent.Kind?) -> ServerEvent.Kind? {
    (error as? BroadcastError)?.isBrokerFault == true ? .brokerFailed : kind
  }
}
