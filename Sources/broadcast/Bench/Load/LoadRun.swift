//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingNetwork
import BroadcastingWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A whole run, from the first connection to the last: an actor of the loop on which all of it happens.
actor LoadRun {
  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Connections that are being opened at a time.
  private static let openingAtOnce = 64
  /// How long doubled deliveries are listened for behind the last one.
  private static let linger = Duration.milliseconds(200)

  private let options: BenchOptions
  private let target: LoadTarget
  private let channels: [String]
  private let test: LoadTest
  private let progress: ProgressLine
  private let server: ServerProcessUsage?
  private var usage = BenchResult.ServerUsage()
  private var address: SocketAddress?
  private var opened = 0
  private var interruption: Int32?

  init(_ options: BenchOptions, on loop: EventLoop) throws(Failure) {
    self.options = options
    self.loop = loop
    target = try LoadTarget(options)
    let name = options.channel ?? "bench-\(String(UInt32.random(in: .min ... .max), radix: 16))"
    channels = options.channels == 1 ? [name] : (0..<options.channels).map { "\(name).\($0)" }
    test = LoadTest(
      options, try PublishRequests(to: target, channels: channels, size: options.size), on: loop)
    progress = ProgressLine()
    server = options.process.flatMap { ServerProcessUsage(process: $0) }
    if let process = options.process, server == nil {
      throw Failure("--pid \(process): there is no such process, or it can't be looked at", .misuse)
    }
  }

  /// Runs until the end, a failure, or a signal that asks to stop.
  func run() async -> BenchResult {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.drive() }
      group.addTask { await self.watchSignals() }
      await group.next()
      group.cancelAll()
    }
    progress.clear()
    return BenchResult(options, test, server: server == nil ? nil : usage, interruption: interruption)
  }

  private func watchSignals() async {
    let signals = SignalWatch(EndingSignals.heeded(), on: loop)
    if let number = try? await signals.next() {
      interruption = number
      test.stop(because: nil)
    }
    // The next one ends the program at once.
    await signals.close()
  }

  private func drive() async {
    do throws(Failure) {
      let ticker = try startTicking()
      defer { ticker.close() }
      address = try await target.findAddress(on: loop)
      usage.residentBytesBefore = server?.residentBytes
      progress.phase = .connecting
      try await openSubscribers()
      await withTaskGroup(of: Void.self) { group in
        for index in test.publishers.indices { group.addTask { await self.keepConnected(index) } }
        await phases()
        test.close()
        group.cancelAll()
      }
    } catch {
      test.stop(because: error)
      test.close()
    }
  }

  // MARK: Connections

  private func connect() async throws(Failure) -> any ByteStream {
    guard let address else { throw Failure("the server has no address", .notConnected) }
    return try await target.connect(to: address, on: loop)
  }

  private func openSubscribers() async throws(Failure) {
    let workers = min(Self.openingAtOnce, options.subscribers)
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<workers {
        group.addTask { await self.openSubscribers(from: worker, by: workers) }
      }
    }
    if let failure = test.failure { throw failure }
  }

  private func openSubscribers(from first: Int, by step: Int) async {
    do throws(Failure) {
      for index in stride(from: first, to: options.subscribers, by: step) {
        let stream = try await connect()
        if test.isStopped { return stream.close() }
        let handshake = target.subscription(to: channels[index % channels.count])
        let subscriber = LoadSubscriber(index, test, on: stream, handshake: handshake)
        test.add(subscriber)
        try await subscriber.open()
        test.subscriberOpened()
      }
    } catch {
      test.stop(because: error)
    }
  }

  private func keepConnected(_ index: Int) async {
    do throws(Failure) {
      while !test.isStopped {
        let stream = try await connect()
        if test.isStopped { return stream.close() }
        await test.publishers[index].use(stream)
      }
    } catch {
      test.stop(because: error)
    }
  }

  // MARK: Phases

  private func phases() async {
    await test.untilPublishersAreConnected()
    if test.isStopped { return }
    progress.phase = .settling
    try? await loop.sleep(for: options.settle)
    usage.residentBytesIdle = server?.residentBytes
    let pace = options.rate.map { Schedule.Pace.open(perSecond: $0) } ?? .closed(inFlight: options.inFlight)
    progress.phase = .warmingUp
    await test.publish(options.warmUp, .closed(inFlight: options.inFlight), isMeasured: false)
    progress.phase = .measuring
    let cpu = server?.cpu
    await test.publish(options.messages, pace, isMeasured: true)
    if let cpu, let now = server?.cpu { usage.cpu = now - cpu }
    usage.residentBytesAfter = server?.residentBytes
    if !test.isStopped { try? await loop.sleep(for: Self.linger) }
  }

  private func startTicking() throws(Failure) -> LoopTimer {
    do throws(NetworkError) {
      return try test.startTicking { self.showProgress() }
    } catch {
      throw Failure(error)
    }
  }

  private func showProgress() {
    progress.show(
      ProgressLine.State(
        opened: test.openedCount, subscribers: options.subscribers, published: test.publishedCount,
        messages: progress.phase == .warmingUp ? options.warmUp : options.messages,
        deliveries: test.checker.counts.delivered,
        median: test.measurement.latency.quantile(0.5)),
      at: Clocks.monotonic)
  }
}
