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

/// A Kafka of one broker, of a test's own or for all, on free ports of this machine.
///
/// It takes seconds to start and hundreds of megabytes, so that there are two at a time at most: the one for all, and one
/// that a test hurts.
package final class KafkaServer: Sendable {
  package enum Mechanism: String, Sendable {
    case plain = "PLAIN"
    case scram = "SCRAM-SHA-256"
  }

  package struct Options: Sendable {
    package var installation = KafkaInstallation.usual
    /// Who may log in, with the passwords. Nobody: there is no port for that.
    package var users: [String: String] = [:]
    package var mechanism = Mechanism.plain
    /// Whether it speaks TLS too, on a port of its own.
    package var certificates: TestCertificates?
    /// Whether those who log in may do only what they have been given the right to (``KafkaAdmin/allow``).
    package var checksRights = false
    /// How many proxies may be in front of it at a time.
    package var proxies = 1
    /// Anything of `server.properties`.
    package var settings: [String: String] = [:]
    /// 16 bytes in Base64.
    package var clusterID = usualClusterID

    static let usualClusterID = "AAAAAAAAAAAAAAAAAAAAAQ"
    package static let otherClusterID = "AAAAAAAAAAAAAAAAAAAAAg"

    package init() {}
  }

  /// Where everybody is let in.
  package var port: Int { settings.ports.direct }
  /// Where a user and a password are asked for; 0 where nobody may log in.
  package var loginPort: Int { settings.ports.login }
  /// 0 where it has no certificates.
  package var securePort: Int { settings.ports.secure }
  /// Where both are wanted; else 0.
  package var secureLoginPort: Int { settings.ports.secureLogin }
  package let admin: KafkaAdmin
  private let options: Options
  private let settings: KafkaSettings
  /// All ports of the settings, for it and for the proxies, whether somebody listens on them just now or not.
  private let reserved: [ReservedPort]
  private let folder: TemporaryFolder
  private let state: Lock<State>
  private let freeProxies: Seats

  private struct State {
    var process: ChildProcess?
    var users: [String: String]
  }

  private init(_ options: Options) async throws {
    let folder = try TemporaryFolder()
    let fixed = 5
    reserved = try ReservedPort.some(fixed + 2 * options.proxies)
    let ports = reserved.map(\.number)
    var settings = KafkaSettings(
      ports: .init(
        direct: ports[0], controllers: [ports[1]], login: options.users.isEmpty ? 0 : ports[2],
        secure: options.certificates == nil ? 0 : ports[3],
        secureLogin: options.users.isEmpty || options.certificates == nil ? 0 : ports[4],
        upstream: Array(ports[fixed..<fixed + options.proxies]), proxies: Array(ports[(fixed + options.proxies)...])),
      data: "\(folder.path)/data")
    settings.users = options.users
    settings.mechanism = options.mechanism
    settings.checksRights = options.checksRights
    settings.settings = options.settings
    if let files = options.certificates?.server {
      // The key and the certificate in one file.
      settings.certificate = "\(folder.path)/server.pem"
      try await ChildProcess.run(
        ["/bin/sh", "-c", #"cat "$0" "$1" > "$2""#, files.key, files.certificate, "\(folder.path)/server.pem"])
    }
    self.settings = settings
    self.options = options
    self.folder = folder
    state = Lock(State(users: options.users))
    freeProxies = Seats(options.proxies)
    admin = KafkaAdmin(servers: "127.0.0.1:\(ports[0])")
    let file = try folder.write(settings.text, to: "server.properties")
    if options.installation == .usual, options.mechanism == .plain {
      try await KafkaTemplate.copy(to: folder, clusterID: options.clusterID)
    } else {
      let scram = options.mechanism == .scram ? options.users.map { "[name=\($0.key),password=\($0.value)]" } : []
      try await options.installation.format(file, clusterID: options.clusterID, scram: scram)
    }
    try await start()
  }

  // MARK: Who has one

  /// For servers which a test hurts, in whichever number.
  static let gate = Seats(1)

  /// Runs a server while `body` runs, which may hurt it. It answers when `body` begins. There is one at a time.
  package static func with<Result>(
    _ options: Options = .init(), _ body: (KafkaServer) async throws -> Result
  ) async throws -> Result {
    try await gate.with { _ in
      let server = try await KafkaServer(options)
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await body(server)) } catch { result = .failure(error) }
      try await server.kill()
      return try result.get()
    }
  }

  private static let forAll = Once {
    var options = Options()
    options.proxies = 8
    let server = try await KafkaServer(options)
    server.endAtExit()
    return server
  }

  /// The one that nobody hurts: what tests use at the same time must not have names in common.
  package static var shared: KafkaServer { get async throws { try await forAll.value() } }

  private static let toEnd = Lock([KafkaServer]())

  private func endAtExit() {
    folder.removeAtExit()
    Self.toEnd.withLock { $0.append(self) }
    // Before the folder is removed: the last one that is registered is the first one called.
    atexit { for server in KafkaServer.toEnd.withLock({ $0 }) { server.current?.signal(.kill) } }
  }

  // MARK: Ways to it

  /// Lets `body` have a way to it for a proxy: which port the proxy leads to, and on which it must listen. Clients that come to
  /// the proxy's port come back to that one.
  package func withProxyPorts<Result>(_ body: (_ upstream: Int, _ proxy: Int) async throws -> Result) async throws
    -> Result
  {
    try await freeProxies.with { try await body(settings.ports.upstream[$0], settings.ports.proxies[$0]) }
  }

  /// The same for who has the server to itself.
  package var firstProxyPorts: (upstream: Int, proxy: Int) { (settings.ports.upstream[0], settings.ports.proxies[0]) }

  /// Runs `body` behind a proxy.
  package func withProxy<Result>(_ body: (FaultyProxy) async throws -> Result) async throws -> Result {
    try await withProxyPorts { upstream, port in
      try await FaultyProxy.with(to: upstream, on: port) { proxy in try await body(proxy) }
    }
  }

  /// - Parameters:
  ///   - port: Nil for the one for everybody; that of a proxy.
  ///   - user: Who logs in.
  ///   - options: Behind the question mark.
  package func url(port: Int? = nil, user: (name: String, password: String)? = nil, _ options: String = "") -> String {
    let login = user.map { "\($0.name):\($0.password)@" } ?? ""
    return "kafka://\(login)127.0.0.1:\(port ?? self.port)/\(options.isEmpty ? "" : "?\(options)")"
  }

  /// What it has written to its log.
  package var log: [String] { current?.transcript() ?? [] }

  private var current: ChildProcess? { state.withLock { $0.process } }

  // MARK: What may happen to it

  /// Ends it as a crash would (SIGKILL), and returns when it is gone.
  package func kill() async throws {
    guard let process = current else { return }
    process.signal(.kill)
    try await process.exit()
  }

  /// Ends it in order (SIGTERM), and returns when it is gone.
  package func stopInOrder() async throws {
    guard let process = current else { return }
    process.signal(.terminate)
    try await process.exit()
  }

  /// Starts it again on the same ports, after ``kill()``. It answers, and all of its topics can be used, when this returns.
  package func start() async throws {
    var settings = settings
    settings.users = state.withLock { $0.users }
    let file = try folder.write(settings.text, to: "server.properties")
    let process = try await options.installation.startServer(file, logs: "\(folder.path)/logs")
    state.withLock { $0.process = process }
    try await admin.waitUntilReady { process.identifier != nil }
    guard process.identifier != nil else {
      throw ProgramError(.ended, "Kafka ended: \(process.transcript().suffix(30).joined(separator: "\n"))")
    }
  }

  package func restart() async throws {
    try await kill()
    try await start()
  }

  /// Another cluster takes its place, on the same ports, without anything of what it had.
  package func exchange(clusterID: String = Options.otherClusterID) async throws {
    try await kill()
    try await ChildProcess.run(["/bin/rm", "-r", "\(folder.path)/data"])
    try await KafkaTemplate.copy(to: folder, clusterID: clusterID)
    try await start()
  }

  /// It hangs from now on (SIGSTOP): the system still takes connections and bytes for it, and nobody answers.
  package func freeze() { current?.signal(.stop) }
  package func thaw() { current?.signal(.resume) }

  /// Gives a user another password, which takes a restart.
  package func setPassword(_ password: String, of user: String) async throws {
    state.withLock { $0.users[user] = password }
    try await stopInOrder()
    try await start()
  }
}
