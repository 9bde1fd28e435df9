//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a listener tells besides connections.
package enum ListenerEvent: Sendable {
  /// Nothing can be accepted now, for want of descriptors mostly (``NetworkError/isForWantOfRoom``). It is tried again
  /// ten times a second. Told once.
  case held(NetworkError)
  /// Connections are accepted again, or would be if a client came.
  case resumed
}

/// Accepts the connections of one loop.
///
/// What comes waits in a short queue, then in the kernel: a slow owner holds new clients up and nothing grows. Dropping
/// the task that accepts does not close it: call ``close()``.
package actor Listener {
  package nonisolated let loop: EventLoop
  package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  /// What is listened on, with the real port.
  package nonisolated let addresses: [SocketAddress]

  /// Connections that are accepted and not yet taken.
  package static let queueLimit = 64
  /// For one turn: the loop has others to see to, also when one client after the other fails.
  private static let attemptsPerTurn = 64
  private static let retryInterval = Duration.milliseconds(100)

  /// What listens. Each handle's closure keeps its own open too, until the handle has closed.
  private var descriptors: [Descriptor]
  private var handles: [PollHandle] = []
  private var accepted: [SocketStream] = []
  private var owners = Waiters()
  /// Made with the handles, so that to hold needs nothing that could be missing then.
  private var retry: LoopTimer?
  /// Until the timer goes off.
  private var isResting = false
  /// From the first failure until a connection is accepted, or no socket fails any more.
  private var isHeld = false
  private var isClosed = false
  private let onEvent: @Sendable (ListenerEvent) -> Void

  /// Claims one set of the sockets for `loop`.
  ///
  /// - Parameter onEvent: is called on the loop.
  /// - Throws: ``NetworkError`` with `closed` when all sets are claimed.
  package init(
    _ sockets: ListeningSockets, on loop: EventLoop, onEvent: @escaping @Sendable (ListenerEvent) -> Void = { _ in }
  ) throws(NetworkError) {
    guard let claimed = sockets.claim() else {
      throw NetworkError(.closed, "every loop that the sockets were bound for has its listener already")
    }
    self.loop = loop
    addresses = sockets.addresses
    descriptors = claimed
    self.onEvent = onEvent
  }

  /// The next connection; nil when the listener is closed, its loop ends or the task is cancelled.
  package func accept() async throws(NetworkError) -> sending SocketStream? {
    try open()
    while mustWait { await wait() }
    return take()
  }

  private var mustWait: Bool { accepted.isEmpty && !isClosed && !Task.isCancelled }

  private func wait() async {
    let ticket = owners.newTicket()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if mustWait { owners.add(continuation, ticket) } else { continuation.resume() }
      }
    } onCancel: {
      loop.execute { self.assumeIsolated { $0.owners.wake(ticket) } }
    }
  }

  private func take() -> sending SocketStream? {
    let first = accepted.isEmpty || Task.isCancelled ? nil : accepted.removeFirst()
    // Who was woken for it may have been cancelled meanwhile: then it is another's.
    if first == nil, !accepted.isEmpty { owners.wakeFirst() }
    watch()
    // It was made here, and the queue's was the only reference but for libuv's, which stays on the loop.
    nonisolated(unsafe) let stream = first
    return stream
  }

  /// Stops listening, and closes what was accepted but not taken.
  package func close() {
    isClosed = true
    for handle in handles { handle.close() }
    handles = []
    descriptors = []
    retry.take()?.close()
    for stream in accepted { stream.reset() }
    accepted = []
    owners.wakeAll()
  }

  private func open() throws(NetworkError) {
    if isClosed || !handles.isEmpty { return }
    if retry == nil { retry = try LoopTimer(on: loop) }
    for descriptor in descriptors {
      let handle = try PollHandle(descriptor.number, on: loop) { _ in self.acceptAll(from: descriptor) }
      handle.whenClosed = { self.close() }
      handles.append(handle)
    }
    watch()
  }

  private func watch() {
    let wantsMore = !isResting && accepted.count < Self.queueLimit
    for handle in handles { handle.watch(wantsMore ? .readable : []) }
  }

  private func acceptAll(from listening: Descriptor) {
    // Also when it was enough for this turn: who still waits makes the socket readable in the next one.
    defer { watch() }
    for _ in 0..<Self.attemptsPerTurn where accepted.count < Self.queueLimit {
      let number = Self.systemAccept(listening.number)
      if number >= 0 {
        add(number)
        continue
      }
      let failure = errno
      switch AcceptFailure(errno: failure) {
      case .nothingWaits: return
      case .connectionFailed: continue
      case .cannotAccept: return hold(NetworkError("could not accept a connection", status: failure))
      }
    }
  }

  private func add(_ number: Int32) {
    var name = sockaddr()
    var size = socklen_t(MemoryLayout<sockaddr>.size)
    getsockname(number, &name, &size)
    let family: SocketAddress.Family = Int32(name.sa_family) == AF_INET6 ? .ipv6 : .ipv4
    guard let stream = try? SocketStream(on: loop, family: family) else {
      systemClose(number)
      return
    }
    if stream.open(number) != 0 {
      stream.close()
      return
    }
    accepted.append(stream)
    resume()
    owners.wakeFirst()
  }

  private func hold(_ error: NetworkError) {
    isResting = true
    retry?.start(after: Self.retryInterval) { self.tryAgain() }
    if isHeld { return }
    isHeld = true
    onEvent(.held(error))
  }

  /// Asks all sockets, and not those alone that a client makes readable: Linux takes a descriptor before it looks for a
  /// client, so the failure may have come with nobody waiting, and perhaps nobody comes. For the same reason a socket
  /// where nobody waits shows that there are descriptors.
  private func tryAgain() {
    isResting = false
    for descriptor in descriptors { acceptAll(from: descriptor) }
    if !isResting { resume() }
  }

  private func resume() {
    guard isHeld else { return }
    isHeld = false
    onEvent(.resumed)
  }

  private static func systemAccept(_ listening: Int32) -> Int32 {
    #if canImport(Darwin)
      let number = Darwin.accept(listening, nil, nil)
      if number >= 0 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
      return number
    #else
      return cuv_accept4(listening, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
    #endif
  }
}
