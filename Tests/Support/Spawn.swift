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

/// A program under way: its process and our ends of its three pipes.
struct Spawned: Sendable {
  var process: pid_t
  var input: Int32
  var output: Int32
  var errors: Int32
}

/// One program at a time: between `pipe` and `FD_CLOEXEC` another child would inherit our ends, and hold them open.
let spawning = Lock<Void>(())

/// Starts `arguments[0]`, an absolute path, with pipes as its standard input, output and error.
///
/// On Linux the program is killed when the calling *thread* ends (prctl(2), `PR_SET_PDEATHSIG`), so that nothing is
/// left running when the tests crash. Call it from a thread that outlives the program.
func spawn(_ arguments: [String], environment: [String: String]) throws(ProgramError) -> Spawned {
  var arguments = arguments
  #if os(Linux)
    if access("/usr/bin/setpriv", X_OK) == 0 { arguments = ["/usr/bin/setpriv", "--pdeathsig=KILL"] + arguments }
  #endif
  return try spawning.withLock { _ throws(ProgramError) in try spawnAlone(arguments, environment: environment) }
}

private func spawnAlone(_ arguments: [String], environment: [String: String]) throws(ProgramError) -> Spawned {
  let input = try Pipe(whileNothingStarts: ())
  let output = try Pipe(whileNothingStarts: ())
  let errors = try Pipe(whileNothingStarts: ())
  defer { for descriptor in [input.reading, output.writing, errors.writing] { close(descriptor) } }

  #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
  #else
    var actions = posix_spawn_file_actions_t()
  #endif
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, input.reading, STDIN_FILENO)
  posix_spawn_file_actions_adddup2(&actions, output.writing, STDOUT_FILENO)
  posix_spawn_file_actions_adddup2(&actions, errors.writing, STDERR_FILENO)

  // The tests ignore SIGPIPE, and the threads of libdispatch, from one of which this thread comes, block all signals.
  // A program must meet them as it would anywhere.
  #if canImport(Darwin)
    var attributes: posix_spawnattr_t?
  #else
    var attributes = posix_spawnattr_t()
  #endif
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var defaults = sigset_t()
  sigemptyset(&defaults)
  for signal in [SIGPIPE, SIGTERM, SIGINT, SIGQUIT] { sigaddset(&defaults, signal) }
  posix_spawnattr_setsigdefault(&attributes, &defaults)
  var blocked = sigset_t()
  sigemptyset(&blocked)
  posix_spawnattr_setsigmask(&attributes, &blocked)
  posix_spawnattr_setflags(&attributes, .init(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

  var inherited = currentEnvironment()
  inherited.merge(environment) { $1 }
  var process: pid_t = 0
  let executable = arguments[0]
  let failure = withCStrings(arguments) { arguments in
    withCStrings(inherited.map { "\($0.key)=\($0.value)" }) { environment in
      posix_spawn(&process, executable, &actions, &attributes, arguments, environment)
    }
  }
  guard failure == 0 else {
    for descriptor in [input.writing, output.reading, errors.reading] { close(descriptor) }
    throw ProgramError(.notStarted, "\(arguments.joined(separator: " ")): \(String(cString: strerror(failure)))")
  }
  return Spawned(process: process, input: input.writing, output: output.reading, errors: errors.reading)
}

/// The environment of the tests themselves.
package func currentEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var next = environ
  while let entry = next.pointee {
    let text = String(cString: entry)
    if let equals = text.firstIndex(of: "=") {
      result[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    next += 1
  }
  return result
}

/// Calls `body` with a `NULL`-terminated array of C strings, as `argv` is.
private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  return body(copies + [nil])
}
