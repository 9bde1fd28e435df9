//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import BroadcastingLocking
import BroadcastingNetwork

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reads a descriptor that may block: a terminal, a pipe, a file.
///
/// Each read has a thread for its time. The alternative, to make the descriptor non-blocking and wait for it on a loop,
/// would make it so for all who share it: for the shell, and for standard output where both are the same terminal.
final class InputReader: Sendable {
  /// The most bytes that one read gives.
  static let maxChunk = 64 << 10

  private let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// What is there, as soon as there is something; nothing at the end. Nothing is read ahead.
  ///
  /// - Throws: ``StreamFailure``. After a cancelled read, what its thread still reads is lost.
  func read() async throws(StreamFailure) -> [UInt8] {
    let read = PendingRead()
    let descriptor = descriptor
    let status = DetachedThread.start { read.finish(Self.readOnce(descriptor)) }
    guard status == 0 else { throw .system("no thread to read standard input", errno: status) }
    return try await read.result()
  }

  private static func readOnce(_ descriptor: Int32) -> Result<[UInt8], StreamFailure> {
    while true {
      var number: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: maxChunk) { buffer, count in
        let result = Self.read(descriptor, into: buffer)
        number = result < 0 ? errno : 0
        count = max(0, result)
      }
      switch number {
      case 0: return .success(bytes)
      case EINTR: continue
      case EAGAIN:
        // Somebody else made it non-blocking.
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&state, 1, -1)
      default: return .failure(.system("standard input can't be read", errno: number))
      }
    }
  }

  private static func read(_ descriptor: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, buffer.baseAddress, buffer.count)
    #else
      Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }
}

/// What a thread reads and a task waits for.
private final class PendingRead: Sendable {
  private enum State {
    case pending
    case awaited(UnsafeContinuation<Void, Never>)
    case done(Result<[UInt8], StreamFailure>)
  }
  private let state = Lock(State.pending)

  /// The first call counts.
  func finish(_ result: Result<[UInt8], StreamFailure>) {
    let waiter = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      if case .done = state { return nil }
      defer { state = .done(result) }
      if case .awaited(let waiter) = state { return waiter }
      return nil
    }
    waiter?.resume()
  }

  /// To be called once.
  func result() async throws(StreamFailure) -> [UInt8] {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let isDone = state.withLock { state in
          if case .done = state { return true }
          state = .awaited(continuation)
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      finish(.failure(.cancelled))
    }
    return try state.withLock { state throws(StreamFailure) in
      guard case .done(let result) = state else { throw .cancelled }
      return try result.get()
    }
  }
}
