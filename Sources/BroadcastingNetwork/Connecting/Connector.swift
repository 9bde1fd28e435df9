//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension EventLoop {
  /// Connects to a host over TCP. Each address of its name is tried in turn, with a fair part of the time that is left.
  ///
  /// - Parameter deadline: how long all of it may take, the look-up of the name included.
  /// - Returns: a stream of this loop, which must stay there.
  /// - Throws: ``NetworkError`` that says what failed: of several addresses, what failed last.
  package func connect(
    to host: String, port: UInt16, within deadline: Duration
  ) async throws(NetworkError) -> sending SocketStream {
    try await Connector(on: self, to: .name(host, port)).run(within: deadline)
  }

  /// Connects to one address, which may be a Unix socket.
  package func connect(
    to address: SocketAddress, within deadline: Duration
  ) async throws(NetworkError) -> sending SocketStream {
    try await Connector(on: self, to: .address(address)).run(within: deadline)
  }
}

/// One connection to be. Whatever ends it early, a cancellation, the deadline or the end of the loop, calls `stop`,
/// which breaks off what is under way.
private actor Connector {
  enum Target: Sendable, CustomStringConvertible {
    case name(String, UInt16)
    case address(SocketAddress)

    var description: String {
      switch self {
      case .name(let host, let port): "\(host):\(port)"
      case .address(let address): "\(address)"
      }
    }
  }

  /// An address gets at least this, where there is as much left.
  private static let leastTime = Duration.seconds(2)

  private nonisolated let loop: EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let target: Target
  private var reason: NetworkError?
  private var lookUp: NameLookUp?
  private var stream: SocketStream?

  init(on loop: EventLoop, to target: Target) {
    self.loop = loop
    self.target = target
  }

  func run(within deadline: Duration) async throws(NetworkError) -> sending SocketStream {
    let timer = try LoopTimer(on: loop)
    timer.whenClosed = { self.stop(.loopEnded("connecting to \(self.target)")) }
    timer.start(after: deadline) { self.stop(self.timedOut(deadline)) }
    let outcome: Result<SocketStream, NetworkError> = await withTaskCancellationHandler {
      do throws(NetworkError) {
        return .success(try await connect(timer, deadline))
      } catch {
        return .failure(error)
      }
    } onCancel: {
      loop.execute {
        self.assumeIsolated {
          $0.stop(NetworkError(.cancelled, "connecting to \($0.target): the task was cancelled"))
        }
      }
    }
    timer.whenClosed = nil
    timer.close()
    stream = nil
    if let reason {
      if case .success(let stream) = outcome { stream.close() }
      throw reason
    }
    // Made here; the actor keeps no reference, and libuv's stays on the loop.
    nonisolated(unsafe) let connected = try outcome.get()
    return connected
  }

  private func connect(_ timer: LoopTimer, _ deadline: Duration) async throws(NetworkError) -> SocketStream {
    let end = loop.now + deadline
    let addresses = try await addresses()
    var failure = NetworkError(.notFound, "\(target) has no address")
    for (index, address) in addresses.enumerated() {
      if let reason { throw reason }
      let left = end - loop.now
      let share = max(left / (addresses.count - index), min(left, Self.leastTime))
      let stream = try SocketStream(on: loop, family: address.family)
      self.stream = stream
      var isLate = false
      timer.start(after: share) {
        isLate = true
        stream.close()
      }
      let status = await withUnsafeContinuation { continuation in
        stream.connect(to: address) { continuation.resume(returning: $0) }
      }
      if status == 0, !stream.isClosed { return stream }
      stream.close()
      failure = isLate ? timedOut(deadline) : NetworkError("could not connect to \(address)", status: status)
    }
    throw failure
  }

  private func addresses() async throws(NetworkError) -> [SocketAddress] {
    switch target {
    case .address(let address):
      return [address]
    case .name(let host, let port):
      if let address = SocketAddress(digits: host, port: port) { return [address] }
      if let reason { throw reason }
      let lookUp = NameLookUp(host)
      self.lookUp = lookUp
      return try await lookUp.run().map { $0.with(port: port) }
    }
  }

  private func stop(_ reason: NetworkError) {
    if self.reason != nil { return }
    self.reason = reason
    lookUp?.giveUp(reason)
    stream?.close()
  }

  private func timedOut(_ deadline: Duration) -> NetworkError {
    NetworkError(.timedOut, "could not connect to \(target) within \(deadline)")
  }
}
