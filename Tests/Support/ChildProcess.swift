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

/// A program that a test has started: what it says line by line, and how it ends.
///
/// A thread of its own reads the pipes and reaps the process, so that no test blocks a cooperative thread. Every wait
/// has a limit, which guards against hangs and measures nothing. The program ends when the last reference goes.
package final class ChildProcess: Sendable {
  package enum Stream: Sendable { case output, errors }
  package enum Exit: Sendable, Equatable { case code(Int32), signal(Int32) }

  /// `stop` is SIGSTOP: the program hangs, until `resume`.
  package enum Signal: Sendable { case terminate, interrupt, quit, kill, stop, resume }

  private let watch: Watch
  private let lastSignal: Signal

  /// Starts `executable`, an absolute path. `environment` is added to the one of the tests, and `lastSignal` is what the
  /// program gets when the last reference goes: `.terminate` for one that has to clean up.
  package init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:], lastSignal: Signal = .kill
  ) async throws {
    self.lastSignal = lastSignal
    let watch = Watch(command: [executable] + arguments, environment: environment)
    self.watch = watch
    try watch.start()
    try await watch.wait("start", within: .seconds(30)) { state throws(ProgramError) in
      if let failure = state.failure { throw failure }
      return state.process != nil || state.exit != nil ? () : nil
    }
  }

  deinit { signal(lastSignal) }

  /// The next line that contains `text`. The lines before it are passed over, and not seen again.
  @discardableResult
  package func line(
    _ stream: Stream = .output, containing text: String = "", within limit: Duration = .seconds(60)
  ) async throws -> String {
    try await watch.wait("say “\(text)”", within: limit) { state in
      state.take(from: stream) { text.isEmpty || $0.contains(text) }
    }
  }

  /// How the program ended, once it has.
  @discardableResult
  package func exit(within limit: Duration = .seconds(60)) async throws -> Exit {
    try await watch.wait("end", within: limit) { state in state.isDrained ? state.exit : nil }
  }

  /// Everything that it has said so far.
  package func transcript(_ stream: Stream = .output) -> [String] {
    watch.state.withLock { stream == .output ? $0.output.lines : $0.errors.lines }
  }

  /// The number of its process; nil when it has ended.
  package var identifier: Int? { watch.state.withLock { $0.process.map { Int($0) } } }

  /// Writes a line to the program's standard input, or with another terminator any text.
  package func send(_ line: String, terminator: String = "\n") throws {
    try watch.send(line + terminator)
  }

  /// Sends a signal. Nothing happens when the program has ended.
  package func signal(_ signal: Signal) {
    switch signal {
    case .terminate: watch.signal(SIGTERM)
    case .interrupt: watch.signal(SIGINT)
    case .quit: watch.signal(SIGQUIT)
    case .kill: watch.signal(SIGKILL)
    case .stop: watch.signal(SIGSTOP)
    case .resume: watch.signal(SIGCONT)
    }
  }
}

extension ChildProcess {
  /// Runs a command to its end, and fails where it fails.
  static func run(_ command: [String], environment: [String: String] = [:]) async throws {
    let program = try await ChildProcess(command[0], Array(command.dropFirst()), environment: environment)
    guard try await program.exit() == .code(0) else {
      let said = program.transcript() + program.transcript(.errors)
      throw ProgramError(.refused, "\(command.joined(separator: " ")): \(said.joined(separator: "\n"))")
    }
  }
}

/// What the handle and the reading thread share; it lives until both have let go.
private final class Watch: Sendable {
  struct State {
    var process: pid_t?
    var input: Int32?
    var exit: ChildProcess.Exit?
    var failure: ProgramError?
    var output = ProgramLines()
    var errors = ProgramLines()
    var waiters: [CheckedContinuation<Void, Never>] = []

    var isDrained: Bool { exit != nil && !output.isOpen && !errors.isOpen }

    mutating func take(from stream: ChildProcess.Stream, where matches: (String) -> Bool) -> String? {
      let path: WritableKeyPath<State, ProgramLines> = stream == .output ? \.output : \.errors
      while self[keyPath: path].taken < self[keyPath: path].lines.count {
        let line = self[keyPath: path].lines[self[keyPath: path].taken]
        self[keyPath: path].taken += 1
        if matches(line) { return line }
      }
      return nil
    }
  }

  let state = Lock(State())
  private let command: [String]
  private let environment: [String: String]

  init(command: [String], environment: [String: String]) {
    self.command = command
    self.environment = environment
  }

  // MARK: From the tests

  func wait<Value: Sendable>(
    _ what: String, within limit: Duration,
    // Not `throws(ProgramError)`, which Swift 6.3.1 can't compile for release here.
    _ take: @Sendable (inout State) throws -> Value?
  ) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
      try Task.checkCancellation()
      let (value, isDrained) = try state.withLock { state in (try take(&state), state.isDrained) }
      if let value { return value }
      if isDrained { throw complaint(.ended, "ended before it did “\(what)”") }
      if ContinuousClock.now > deadline { throw complaint(.timedOut, "did not “\(what)” within \(limit)") }
      await withCheckedContinuation { continuation in
        // The thread resumes all waiters at each turn, at the latest 20 ms from now, until all is drained.
        let isOver = state.withLock { state in
          if !state.isDrained { state.waiters.append(continuation) }
          return state.isDrained
        }
        if isOver { continuation.resume() }
      }
    }
  }

  func signal(_ number: Int32) {
    // Under the lock, since a process that was reaped meanwhile may have left its number to another.
    state.withLock { state in
      if let process = state.process { _ = kill(process, number) }
    }
  }

  func send(_ text: String) throws(ProgramError) {
    let bytes = Array(text.utf8)
    let sent = state.withLock { state in
      guard let input = state.input else { return -1 }
      return write(input, bytes, bytes.count)
    }
    guard sent == bytes.count else { throw complaint(.ended, "takes no input") }
  }

  private func complaint(_ code: ProgramError.Code, _ what: String) -> ProgramError {
    let (output, errors) = state.withLock { ($0.output.lines.suffix(30), $0.errors.lines.suffix(30)) }
    return ProgramError(
      code,
      """
      \(command.joined(separator: " ")) \(what).
      Its output:
      \(output.joined(separator: "\n"))
      Its errors:
      \(errors.joined(separator: "\n"))
      """)
  }

  // MARK: The thread

  func start() throws(ProgramError) {
    ignoreBrokenPipes()
    let context = Unmanaged.passRetained(self).toOpaque()
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    guard pthread_create(&thread, nil, watchThread, context) == 0 else {
      Unmanaged<Watch>.fromOpaque(context).release()
      throw ProgramError(.notStarted, "no thread")
    }
  }

  func run() {
    // Nobody joins it.
    pthread_detach(pthread_self())
    let spawned: Spawned
    do {
      spawned = try spawn(command, environment: environment)
    } catch {
      finish { state in state.failure = error }
      return
    }
    state.withLock { state in
      state.process = spawned.process
      state.input = spawned.input
    }
    var isLast = false
    while !isLast {
      // Reaped before the last reading, so that nothing which was said before the end is lost. What a grandchild
      // says later is nobody's: it may hold the pipes for ever.
      isLast = reap(spawned.process)
      readAll(spawned, wait: isLast ? 0 : 20)
      resumeWaiters()
    }
    finish { state in
      state.input = nil
    }
    for descriptor in [spawned.input, spawned.output, spawned.errors] { close(descriptor) }
  }

  private func reap(_ process: pid_t) -> Bool {
    state.withLock { state in
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == process else { return false }
      state.process = nil
      state.exit = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
      return true
    }
  }

  private func readAll(_ spawned: Spawned, wait milliseconds: Int32) {
    var wait = milliseconds
    while true {
      let (isOutputOpen, areErrorsOpen) = state.withLock { ($0.output.isOpen, $0.errors.isOpen) }
      var watched = [
        pollfd(fd: isOutputOpen ? spawned.output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: areErrorsOpen ? spawned.errors : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&watched, 2, wait) > 0 else { return }
      if watched[0].revents != 0 { readOnce(spawned.output, into: \.output) }
      if watched[1].revents != 0 { readOnce(spawned.errors, into: \.errors) }
      wait = 0
    }
  }

  private func readOnce(_ descriptor: Int32, into lines: WritableKeyPath<State, ProgramLines>) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(descriptor, &buffer, buffer.count)
    state.withLock { state in
      guard count > 0 else {
        state[keyPath: lines].close()
        return
      }
      state[keyPath: lines].append(buffer[..<count])
    }
  }

  private func resumeWaiters() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func finish(_ change: (inout State) -> Void) {
    state.withLock { state in
      change(&state)
      state.exit = state.exit ?? .code(127)
      state.output.close()
      state.errors.close()
    }
    resumeWaiters()
  }
}

/// A program that has ended must not end the tests, by `SIGPIPE`, when they write to it.
private func ignoreBrokenPipes() {
  _ = signal(SIGPIPE, SIG_IGN)
}

#if canImport(Darwin)
  private func watchThread(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<Watch>.fromOpaque(context).takeRetainedValue().run()
    return nil
  }
#else
  private func watchThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<Watch>.fromOpaque(context).takeRetainedValue().run() }
    return nil
  }
#endif
