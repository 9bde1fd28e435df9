//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension SocketAddress {
  /// The addresses of a host name, in the system's order of preference (RFC 6724). Digits are taken as they are.
  ///
  /// The system's look-up blocks and can't be broken off, so it runs on a thread of its own, of which there are at
  /// most four; others wait for their turn. A cancelled caller leaves at once, and so can a loop end.
  ///
  /// - Throws: ``NetworkError`` with `notFound`, `lookUpFailed`, `cancelled`.
  package static func lookUp(_ host: String, port: UInt16) async throws(NetworkError) -> [SocketAddress] {
    if let address = SocketAddress(digits: host, port: port) { return [address] }
    let lookUp = NameLookUp(host)
    return try await lookUp.run().map { $0.with(port: port) }
  }
}

/// One look-up: whoever is first brings its answer, the thread or the one who gives up.
final class NameLookUp: Sendable {
  typealias Answer = Result<[SocketAddress], NetworkError>
  let host: String
  private let answer = OneShot<Answer>()

  init(_ host: String) { self.host = host }

  func run() async throws(NetworkError) -> [SocketAddress] {
    NameLookUpThreads.shared.add(self)
    let answer = await withTaskCancellationHandler {
      await self.answer.value()
    } onCancel: {
      giveUp(NetworkError(.cancelled, "look-up of \(host): the task was cancelled"))
    }
    return try answer.get()
  }

  func giveUp(_ error: NetworkError) { if answer.fill(.failure(error)) { NameLookUpThreads.shared.remove(self) } }

  /// Blocks.
  fileprivate func ask() { answer.fill(Self.ask(host)) }

  private static func ask(_ host: String) -> Answer {
    guard !host.isEmpty, !host.utf8.contains(0) else {
      return .failure(NetworkError(.invalidAddress, "a host name can be neither empty nor contain a NUL"))
    }
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    guard status == 0 else {
      if status == EAI_SYSTEM { return .failure(NetworkError("look-up of \(host)", status: errno)) }
      let reason = String(cString: gai_strerror(status))
      return .failure(NetworkError(isPermanent(status) ? .notFound : .lookUpFailed, "look-up of \(host): \(reason)"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next {
      // Each comes once for every kind of socket.
      if let name = entry.pointee.ai_addr, let address = SocketAddress(name), !addresses.contains(address) {
        addresses.append(address)
      }
      next = entry.pointee.ai_next
    }
    if addresses.isEmpty { return .failure(NetworkError(.notFound, "look-up of \(host): it has no address")) }
    return .success(addresses)
  }

  private static func isPermanent(_ status: Int32) -> Bool {
    if status == EAI_NONAME { return true }
    #if canImport(Glibc)
      // The name exists and has no address: behind _GNU_SOURCE in netdb.h.
      return status == -5
    #else
      return false
    #endif
  }
}

/// The threads that ask the system, which last as long as there is something to ask.
final class NameLookUpThreads: Sendable {
  static let shared = NameLookUpThreads()
  static let limit = 4

  private struct State {
    var waiting: [NameLookUp] = []
    var threads = 0
  }
  private let state = Lock(State())

  fileprivate func add(_ lookUp: NameLookUp) {
    let needsThread = state.withLock { state in
      state.waiting.append(lookUp)
      if state.threads == Self.limit { return false }
      state.threads += 1
      return true
    }
    guard needsThread else { return }
    let status = DetachedThread.start { self.run() }
    if status != 0 {
      let isLast = state.withLock { state in
        state.threads -= 1
        return state.threads == 0
      }
      if isLast { lookUp.giveUp(NetworkError("look-up of \(lookUp.host): no thread for it", status: status)) }
    }
  }

  fileprivate func remove(_ lookUp: NameLookUp) { state.withLock { $0.waiting.removeAll { $0 === lookUp } } }

  private func run() {
    while let lookUp = next() { lookUp.ask() }
  }

  private func next() -> NameLookUp? {
    state.withLock { state in
      if state.waiting.isEmpty {
        state.threads -= 1
        return nil
      }
      return state.waiting.removeFirst()
    }
  }
}
