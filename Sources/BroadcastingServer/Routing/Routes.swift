//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
public import BroadcastingWeb

/// Where a route's handler runs.
public enum RouteExecutor: Sendable {
  /// On the connection's event loop: no thread is changed, and nothing may block or compute for long, for it would hold
  /// up all connections of the loop.
  case loop

  /// On Swift's threads beside the loops, for what computes. What blocks belongs on neither.
  case pool
}

/// The routes of a server, as its initialiser's closure fills them.
///
/// A pattern is a path such as `/todos/:id`; `:id` stands for one segment. A literal segment goes before a parameter, a
/// trailing slash makes no difference, and a path may have a handler for each method and one for a socket. HEAD is
/// answered by GET's handler, OPTIONS with the methods that there are. A pattern that is wrong or stands there twice is
/// an error of `run()`.
public struct Routes: Sendable {
  struct Endpoint: Sendable {
    enum Action: Sendable {
      case handler(@Sendable (Request) async throws -> HTTPResponse)
      case socket(@Sendable (Request) async throws -> Acceptance)
    }

    /// Those of the routes that it was mounted with, from the outside in.
    var checks: [Check] = []
    var action: Action

    /// How pages of other origins can ask it and read its answers, as far as the server's policy allows them: by `POST` or
    /// `GET`. Nil where they can't.
    var sharedMethod: HTTPMethod?
  }

  typealias Check = @Sendable (Request) async throws -> Void

  /// Serves a socket to its end. Nil is a normal one.
  typealias SocketHandler = @Sendable (WebSocket) async -> (any Error)?

  /// What serves a socket that is accepted.
  struct Acceptance: Sendable {
    /// Further fields of the 101.
    var headers: HTTPHeaders = [:]
    var handler: SocketHandler

    init(handler: @escaping SocketHandler) { self.handler = handler }
  }

  private(set) var router = Router<Endpoint>()
  private(set) var checks: [Check] = []
  private(set) var failure: (any Error)?

  init() {}

  /// Asks every request before its route does, with the server's own endpoints and sockets among them: the place for
  /// authentication. Several are asked in the order of their adding.
  ///
  /// A request is whole when it is asked, with a body up to the server's limits: whoever is refused could send one all
  /// the same. What must not even be read is for a proxy in front. A browser's question whether a page of another origin
  /// may push comes without what the page itself would send along, and is answered before.
  ///
  /// - Parameter check: throws, most likely a ``RequestError`` with 401 or 403, where the request may not go on.
  public mutating func check(_ check: @escaping @Sendable (Request) async throws -> Void) { checks.append(check) }

  public mutating func get(
    _ pattern: String, on executor: RouteExecutor = .loop,
    _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) { on(.get, pattern, on: executor, handler) }

  public mutating func post(
    _ pattern: String, on executor: RouteExecutor = .loop,
    _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) { on(.post, pattern, on: executor, handler) }

  public mutating func put(
    _ pattern: String, on executor: RouteExecutor = .loop,
    _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) { on(.put, pattern, on: executor, handler) }

  public mutating func delete(
    _ pattern: String, on executor: RouteExecutor = .loop,
    _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) { on(.delete, pattern, on: executor, handler) }

  /// A route of any method of the IANA's registry that llhttp knows; a request of another is answered 400 and reaches no
  /// route.
  ///
  /// What the handler throws is answered: ``RequestError`` as it says, a `BroadcastError` with 400, 413 or 503, all
  /// else with 500.
  public mutating func on(
    _ method: HTTPMethod, _ pattern: String, on executor: RouteExecutor = .loop,
    _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) {
    switch executor {
    case .loop: add(.method(method.rawValue), pattern, .handler(handler))
    case .pool:
      add(
        .method(method.rawValue), pattern,
        .handler { request in
          try await withTaskExecutorPreference(globalConcurrentExecutor) { try await offLoop(request, handler) }
        })
    }
  }

  /// A WebSocket.
  ///
  /// - Parameters:
  ///   - pattern: its path.
  ///   - accept: decides before the handshake is answered, and prepares what the handler needs: most often
  ///     ``Request/subscribe(to:)``. What it throws is the answer instead of the 101: a ``RequestError`` as it says.
  ///   - handler: has the socket. The socket is closed when it returns (1000), or throws: `WebSocketClosure` as it
  ///     says, other errors with 1011. Its task is cancelled when the server stops.
  public mutating func socket<Context: Sendable>(
    _ pattern: String,
    accept: @escaping @Sendable (Request) async throws -> Context,
    handler: @escaping @Sendable (WebSocket, Context) async throws -> Void
  ) {
    socket(pattern) { request in
      let context = try await accept(request)
      return Acceptance { socket in
        do {
          try await handler(socket, context)
          return nil
        } catch {
          return error
        }
      }
    }
  }

  /// A route that pages of other origins can post to and read the answers of, as far as the server's policy allows them.
  mutating func sharedPost(_ pattern: String, _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse) {
    share(.post, pattern, handler)
  }

  /// A route that pages of other origins can read, as far as the server's policy allows them.
  mutating func sharedGet(_ pattern: String, _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse) {
    share(.get, pattern, handler)
  }

  private mutating func share(
    _ method: HTTPMethod, _ pattern: String, _ handler: @escaping @Sendable (Request) async throws -> HTTPResponse
  ) {
    add(.method(method.rawValue), pattern, .handler(handler), sharedMethod: method)
    // The router would answer it alike, but as nobody's: browsers ask by OPTIONS whether they may.
    let allow = ClientRules.allow(method)
    add(.method("OPTIONS"), pattern, .handler { _ in .empty(headers: ["Allow": allow]) }, sharedMethod: method)
  }

  /// A WebSocket, accepted by making what serves it.
  mutating func socket(_ pattern: String, _ accept: @escaping @Sendable (Request) async throws -> Acceptance) {
    add(.socket, pattern, .socket(accept))
  }

  /// A WebSocket that is always accepted. The handler gets the request that asked for it.
  public mutating func socket(
    _ pattern: String, handler: @escaping @Sendable (WebSocket, Request) async throws -> Void
  ) {
    socket(pattern, accept: { request in request }, handler: handler)
  }

  /// Adds other routes below a path. Their checks are asked after those of the server, and for these routes alone.
  public mutating func mount(_ prefix: String, _ routes: (inout Routes) -> Void) {
    var mounted = Routes()
    routes(&mounted)
    failure = failure ?? mounted.failure
    do {
      try router.mount(mounted.router, under: prefix) { endpoint in
        var endpoint = endpoint
        endpoint.checks = mounted.checks + endpoint.checks
        return endpoint
      }
    } catch {
      failure = failure ?? error
    }
  }

  private mutating func add(
    _ kind: RouteKind, _ pattern: String, _ action: Endpoint.Action, sharedMethod: HTTPMethod? = nil
  ) {
    let endpoint = Endpoint(action: action, sharedMethod: sharedMethod)
    do { try router.add(kind, pattern, endpoint) } catch { failure = failure ?? error }
  }
}

@concurrent
private func offLoop(
  _ request: Request, _ handler: @Sendable (Request) async throws -> HTTPResponse
) async throws -> HTTPResponse {
  // Leaving the connection's actor alone changes no thread: its loop may run what is isolated to nobody. What is enqueued
  // goes where the task prefers to be.
  await Task.yield()
  return try await handler(request)
}
