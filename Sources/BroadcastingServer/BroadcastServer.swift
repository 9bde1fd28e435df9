//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

@_exported public import Broadcasting
package import BroadcastingNetwork
@_exported public import BroadcastingWeb

/// A server in front of a `Broadcast`: `POST /push` publishes, the WebSocket `/events` delivers, `/` is a page to look
/// at, `/health` says whether the broker is there, `/history` gives what channels have kept. Routes of your own go beside them.
///
/// ```swift
/// let broadcast = try BroadcastBackend.open("memory://", among: [.memory])
/// let server = BroadcastServer(broadcast) { routes in
///   routes.get("/hello/:name") { request in .text("hello \(try request.parameter("name"))") }
/// }
/// // When one of them ends so does the other.
/// try await runUntilFirstCompletes({ try await broadcast.run() }, { try await server.run() })
/// ```
public struct BroadcastServer: Sendable {
  /// Descriptors that are not for clients: the loops' own, the brokers', and what the program opens.
  private static let reservedDescriptors = 64

  private let broadcast: any Broadcast
  private let configuration: Configuration
  private let routes: Routes

  /// - Parameters:
  ///   - broadcast: its `run()` is the caller's to run, beside that of the server.
  ///   - configuration: where it listens, its limits, and whom it serves.
  ///   - routes: adds routes of your own. One at a path of the server's own endpoints is an error of ``run()``, unless
  ///     ``Endpoints`` moves that or switches it off.
  public init(
    _ broadcast: any Broadcast, configuration: Configuration = .init(), routes: (inout Routes) -> Void = { _ in }
  ) {
    self.broadcast = broadcast
    self.configuration = configuration
    var all = Routes()
    routes(&all)
    self.routes = all
  }

  /// Serves until the calling task is cancelled.
  ///
  /// It does not end by itself with its `Broadcast`, whose end it can only answer with 503: race the two, by
  /// ``runUntilFirstCompletes(_:_:)``, so that the end of one is that of the other.
  ///
  /// At the end no connection is accepted any more, requests under way are answered, what was published before is
  /// delivered, sockets are closed with 1001, and those that do not answer are cut after 8 s. A handler that ignores
  /// the cancellation of its task holds up the return.
  ///
  /// - Throws: `NetworkError` when it cannot listen, ``RouteError`` for wrong routes.
  public func run() async throws {
    try await withEventLoops(count: configuration.loops ?? EventLoop.defaultCount) { loops in try await run(on: loops) }
  }

  /// The same on loops of the caller's, which others may use too.
  package func run(on loops: [EventLoop]) async throws {
    guard let first = loops.first else { return }
    let rules = ClientRules(configuration)
    let pushes = PushGate()
    let routes = try allRoutes(rules, pushes)
    WebSocketHandshake.prepare()
    // A part for each loop: what waits on one must not cost the sockets of another their place.
    let memory = configuration.limits.memory / loops.count
    let allowance = ConnectionAllowance(
      min(
        max(1, configuration.limits.connections),
        Self.connections(withDescriptors: DescriptorLimit.raise(), loops: loops.count)))
    guard let port = UInt16(exactly: configuration.port) else {
      throw NetworkError(.invalidAddress, "The port \(configuration.port) is none: ports are 0 to 65535.")
    }
    let sockets = try await withTaskExecutorPreference(first) {
      try await ListeningSockets.bind(host: configuration.host, port: port, count: loops.count)
    }
    configuration.onEvent(ServerEvent(.listening, addresses: sockets.addresses.map(\.description)))

    try await withThrowingTaskGroup { group in
      for loop in loops {
        group.addTask(executorPreference: loop) {
          try await serve(routes, rules, sockets, on: loop, memory: memory, pushes: pushes, allowance: allowance)
        }
      }
      // All end together, also when one of them fails.
      defer {
        pushes.close()
        group.cancelAll()
      }
      // Inside of the group: handlers of a cancellation run from the inside out, so that this one is before the loops'.
      try await withTaskCancellationHandler {
        for try await _ in group {}
      } onCancel: {
        pushes.close()
      }
    }
  }

  /// How many connections may be served with so many descriptors.
  ///
  /// Those that wait in the listeners' queues have descriptors too: without room for them clients beyond the limit would
  /// use up the last one, and all that opens a file or a connection to a broker would fail. Where there are few, the
  /// queues leave half of them to those who are served.
  static func connections(withDescriptors descriptors: Int, loops: Int) -> Int {
    let free = max(0, descriptors - reservedDescriptors)
    return max(1, free - min(Listener.queueLimit * loops, free / 2))
  }

  private func serve(
    _ routes: Routes, _ rules: ClientRules, _ sockets: ListeningSockets, on loop: EventLoop, memory: Int,
    pushes: PushGate, allowance: ConnectionAllowance
  ) async throws {
    let limits = configuration.limits
    let budget = MemoryBudget(limit: memory)
    configuration.onBudget(budget)
    let fanOut = FanOut(
      broadcast, on: loop,
      limits: LogLimits(maximumMessages: limits.backlogMessages, maximumBytes: limits.backlogBytes), budget: budget,
      socketsPerSweep: limits.socketsPerSweep, spread: configuration.timeouts.closingSpread,
      lagLimit: configuration.timeouts.lag, pushes: pushes)
    let handler = RequestHandler(
      routes, fanOut, rules,
      sockets: WebSocketSettings(
        limits: WebSocketLimits(messageBytes: limits.message), timeouts: configuration.timeouts.socket),
      onEvent: configuration.onEvent)
    let service = HTTPService(
      sockets, on: loop,
      limits: HTTPLimits(
        targetBytes: limits.target, headerBytes: limits.headers, headerFields: limits.headerFields,
        bodyBytes: min(limits.message, .max - PushEndpoint.roomAroundMessage) + PushEndpoint.roomAroundMessage),
      timeouts: HTTPTimeouts(request: configuration.timeouts.request, idle: configuration.timeouts.idle),
      allowance: allowance
    ) { [onEvent = configuration.onEvent] event in
      switch event {
      case .held(let error): onEvent(ServerEvent(.acceptingHeld, reason: error.message))
      case .resumed: onEvent(ServerEvent(.acceptingResumed))
      }
    }
    try await service.serve(handler)
  }

  /// The program's routes and the server's own.
  private func allRoutes(_ rules: ClientRules, _ pushes: PushGate) throws -> Routes {
    if let failure = routes.failure { throw failure }
    var all = routes
    let endpoints = configuration.endpoints
    if let path = endpoints.push {
      let push = PushEndpoint(broadcast: broadcast, rules: rules, gate: pushes)
      all.sharedPost(path) { try await push.answer($0) }
    }
    if let path = endpoints.events {
      let events = EventsEndpoint(broadcast: broadcast, rules: rules)
      all.socket(path) { try await events.accept($0) }
    }
    if let path = endpoints.history {
      let history = HistoryEndpoint(rules: rules)
      var withHistory = all
      withHistory.sharedGet(path) { try await history.answer($0) }
      // Where there is nothing to be read it only says so, and makes room for a route of the program's at its path.
      if broadcast.capabilities.hasHistory || withHistory.failure == nil { all = withHistory }
    }
    if let path = endpoints.page {
      let page = PageEndpoint(endpoints: endpoints)
      all.get(path) { request in page.answer(request) }
    }
    if let path = endpoints.health {
      all.get(path) { [broadcast] _ in try HealthEndpoint.answer(broadcast.statistics) }
    }
    guard let failure = all.failure else { return all }
    guard let error = failure as? RouteError else { throw failure }
    throw RouteError(
      error.code, error.pattern,
      "\(error.message). This one is the server's own: move it or switch it off by the configuration's Endpoints.")
  }
}
