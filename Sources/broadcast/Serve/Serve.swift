//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `broadcast serve`: the server of the library and nothing beside it.
struct Serve {
  private let options: ServeOptions
  private let log: Log

  /// - Throws: for a URL that no backend takes. Nothing has happened then.
  init(_ options: ServeOptions) throws(UsageError) {
    self.options = options
    log = Log(format: options.logFormat)
    // It connects to nothing: what it refuses is what the URL says.
    do throws(BroadcastError) { _ = try openBroadcast(on: nil) } catch {
      throw UsageError(error.message, command: ServeOptions.command.name)
    }
  }

  /// Serves until SIGTERM or SIGINT.
  func run() async -> ExitCode {
    // A peer that is gone is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
    do {
      if options.isInsecure {
        log(
          .warning, "insecure", .init("host", .text(options.host)),
          .init("risk", "anybody who reaches the port may publish and listen"))
      }
      let configuration = try serverConfiguration()
      try await withEventLoops(count: options.loopCount) { loops in
        try await withTaskExecutorPreference(loops[0]) {
          try await serve(configuration, on: loops)
        }
      }
      return .success
    } catch {
      StandardStream.print("broadcast: \(Self.explain(error))\n", to: StandardStream.error)
      return .failure
    }
  }

  /// The driver of the broker has the first loop; the server all of them.
  private func serve(_ configuration: BroadcastServer.Configuration, on loops: [EventLoop]) async throws {
    let signals = SignalWatch([SIGTERM, SIGINT], on: loops[0])
    try await signals.open()
    let broadcast = try openBroadcast(on: loops[0])
    let server = BroadcastServer(broadcast, configuration: configuration)
    // One inside the other: the server has ended, and delivered what it accepted, before the backend ends. A backend
    // that cannot start ends the server.
    try await runUntilFirstCompletes(
      { try await broadcast.run() },
      {
        try await runUntilFirstCompletes(
          {
            try await runUntilFirstCompletes(
              { try await server.run(on: loops) },
              { try await waitForSignal(signals) })
          },
          { await keepLog(of: broadcast, on: loops[0]) })
      })
    await signals.close()
    log.writeKept(all: true)
    log(.info, "stopped")
  }

  private func waitForSignal(_ signals: SignalWatch) async throws {
    guard let number = try await signals.next() else { return }
    // The next signal ends the program at once, and so does the time that it has for this. Both before the word of it,
    // for whoever reads that may send the second signal.
    await signals.close()
    let (seconds, rest) = options.stopTimeout.components
    alarm(UInt32(clamping: rest > 0 ? seconds + 1 : seconds))
    log(.info, "stopping", .init("signal", .text(number == SIGINT ? "SIGINT" : "SIGTERM")))
  }

  /// Writes the counters when they have changed, and what the log has kept back. Until the task is cancelled.
  private func keepLog(of broadcast: any Broadcast, on loop: EventLoop) async {
    var line = CountersLine()
    var next = ContinuousClock.now + options.countersInterval
    repeat {
      // Fails only when the task is cancelled, or with the loop.
      do { try await loop.sleep(for: min(.seconds(1), options.countersInterval)) } catch { break }
      log.writeKept()
      guard ContinuousClock.now >= next else { continue }
      next = .now + options.countersInterval
      if let fields = line.fields(for: broadcast.statistics) { log(.info, "counters", fields) }
    } while true
    if let fields = line.fields(for: broadcast.statistics) { log(.info, "counters", fields) }
  }

  // MARK: Configuration

  private func openBroadcast(on loop: EventLoop?) throws(BroadcastError) -> any Broadcast {
    let backends = Backends(
      setUp: { [options, log] hub in
        hub.onEvent = { BrokerLog(log: log)($0) }
        hub.maximumMessageBytes = options.maxMessage
        hub.maximumBufferedBytes = options.transitMemory
        hub.history = HistoryPolicies(options.history)
        // Who asks before the broker is there gets a 503 soon, instead of an answer that comes too late.
        hub.startPatience = .seconds(2)
      }, maxMessage: options.maxMessage, loop: loop)
    return try BroadcastBackend.open(options.url, among: backends.forServing)
  }

  private func serverConfiguration() throws -> BroadcastServer.Configuration {
    var configuration = BroadcastServer.Configuration(host: host, port: options.port)
    configuration.loops = options.loops
    configuration.endpoints.page = options.servesPage ? configuration.endpoints.page : nil
    configuration.endpoints.push = options.servesPush ? configuration.endpoints.push : nil
    configuration.origins = try OriginPolicy(
      origins: options.allowedOrigins, hosts: options.allowedHosts, allowsOtherMachines: options.isInsecure)
    configuration.channels = try ChannelPatterns(options.channels)
    configuration.limits.message = options.maxMessage
    configuration.limits.backlogBytes = options.maxBacklog
    configuration.limits.backlogMessages = options.maxBacklogMessages
    configuration.limits.memory = max(1, options.maxMemory - options.transitMemory)
    configuration.limits.connections = options.maxConnections
    configuration.limits.channels = options.maxChannels
    configuration.limits.target = options.maxTarget
    configuration.limits.headers = options.maxHeaders
    configuration.limits.headerFields = options.maxHeaderFields
    // What is overdue is noticed up to a second late.
    configuration.timeouts.request = options.requestTimeout - min(.seconds(1), options.requestTimeout / 2)
    configuration.timeouts.idle = options.idleTimeout
    configuration.timeouts.socket = socketTimeouts
    configuration.onEvent = { [options, log] event in Self.report(event, options, log) }
    return configuration
  }

  /// An IPv6 address may stand in brackets, as in a URL.
  private var host: String {
    let host = options.host
    return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }

  private var socketTimeouts: WebSocketTimeouts {
    // What is overdue is noticed up to a second late, the ping itself too.
    let slack = min(Duration.seconds(2), options.pingTimeout / 2)
    return WebSocketTimeouts(
      ping: options.pingInterval, silence: options.pingInterval + options.pingTimeout - slack,
      close: max(.milliseconds(100), min(.seconds(8), options.stopTimeout - .seconds(2))))
  }

  // MARK: Telling

  private static func report(_ event: ServerEvent, _ options: ServeOptions, _ log: Log) {
    switch event.kind {
    case .listening:
      let addresses = event.addresses ?? []
      let announcement = Announcement(addresses: addresses, servesPush: options.servesPush)
      StandardStream.print(announcement.text, to: StandardStream.output)
      var fields: [LogLine.Field] = [.init("addresses", .text(addresses.joined(separator: " ")))]
      if !options.history.isEmpty { fields.append(.init("history", .text(HistoryText.format(options.history)))) }
      log(.info, "listening", fields)
    case .acceptingHeld: log.about(.accepting, .warning, "accepting-held", .init("reason", .text(event.reason ?? "")))
    case .acceptingResumed: log.about(.accepting, .info, "accepting-resumed")
    case .handlerFailed: log.about(.handlers, .error, "handler-failed", failureFields(of: event))
    case .brokerFailed: log.about(.requests, .warning, "broker-failed", failureFields(of: event))
    case .socketFailed: log.about(.handlers, .error, "socket-failed", failureFields(of: event))
    default: log(.info, "server-\(event.kind)", .init("detail", .text(event.description)))
    }
  }

  static func failureFields(of event: ServerEvent) -> [LogLine.Field] {
    var fields: [LogLine.Field] = []
    if let path = event.path { fields.append(.init("path", .text(path))) }
    switch event.error {
    case var error as BroadcastError where event.kind == .brokerFailed:
      // What became of the broker has lines of its own.
      error.underlying = nil
      fields.append(.init("error", .text("\(error)")))
    case let error?: fields.append(.init("error", .text("\(error)")))
    case nil: break
    }
    return fields
  }

  private static func explain(_ error: any Error) -> String {
    switch error {
    case let error as NetworkError: error.message
    case let error as BroadcastError: error.message
    default: "\(error)"
    }
  }
}
