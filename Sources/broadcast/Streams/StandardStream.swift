//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard input, output and error, as descriptors.
enum StandardStream {
  static let input = STDIN_FILENO
  static let output = STDOUT_FILENO
  static let error = STDERR_FILENO

  /// Writes a text and waits until all of it is taken: for the first and last words of a program. While it serves it
  /// has its ``Log``, which never waits.
  /// - Returns: whether it was.
  @discardableResult
  static func print(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      guard let written = writeOnce(rest, to: descriptor) else { return false }
      rest = rest.dropFirst(written)
    }
    return true
  }

  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Takes the place of standard streams which the caller has closed, before a socket or a file gets their numbers and
  /// what is printed. What takes it can't be used: reading and writing fail as on a closed one.
  static func reserve() {
    for (descriptor, mode) in [(input, O_WRONLY), (output, O_RDONLY), (error, O_RDONLY)] {
      guard fcntl(descriptor, F_GETFD) == -1 else { continue }
      // The lowest free number, so this one.
      _ = open("/dev/null", mode)
    }
  }

  /// One write(2), begun again when a signal came first.
  /// - Returns: how many bytes were taken; nil when it failed.
  static func writeOnce(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int? {
    bytes.withUnsafeBytes { buffer in
      while true {
        let written = write(descriptor, buffer.baseAddress, buffer.count)
        if written >= 0 { return written }
        guard errno == EINTR else { return nil }
      }
    }
  }

  /// Whether a line of a pipe's length is taken at once: a pipe that poll(2) calls writable takes PIPE_BUF bytes.
  static func isReady(_ descriptor: Int32) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLOUT) != 0
  }
}
