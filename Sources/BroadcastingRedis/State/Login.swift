//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What is said on a new line before it is of use, and what the answers mean. Without I/O.
struct Login {
  /// Its answer tells what kind of server this is.
  static let greeting = ["HELLO", "2"]

  /// What a line is for.
  enum Purpose {
    case messages
    /// Scripts write keys, which a cluster spreads over its servers.
    case scripts
    /// The same, and the server has to say which run of it this is.
    case histories
  }

  private enum Step { case authenticate, greet, name, select, identify }

  let commands: [[String]]
  private let steps: [Step]
  private let server: RedisURL
  private let purpose: Purpose
  private var answered = 0
  /// Whether the server tells its role.
  private(set) var knowsRole = false
  /// Which run of the server this is. Asked for histories alone, and then known at the end.
  private(set) var run: String?

  /// - Parameter clientName: What the line is called in the server's list of clients.
  init(_ server: RedisURL, clientName: String, for purpose: Purpose = .messages) {
    var commands: [[String]] = []
    var steps: [Step] = []
    if let password = server.password {
      commands.append(["AUTH"] + (server.user.map { [$0] } ?? []) + [password])
      steps.append(.authenticate)
    }
    // Since 6.0 it tells what kind of server this is. Everybody may say it (ACL), and older ones answer with an error that is
    // none.
    commands.append(Self.greeting)
    steps.append(.greet)
    commands.append(["CLIENT", "SETNAME", clientName])
    steps.append(.name)
    if server.database != 0 {
      commands.append(["SELECT", "\(server.database)"])
      steps.append(.select)
    }
    if purpose == .histories {
      commands += ServerRun.questions
      steps += ServerRun.questions.map { _ in .identify }
    }
    self.purpose = purpose
    self.commands = commands
    self.steps = steps
    self.server = server
  }

  var isDone: Bool { answered == steps.count }

  /// Takes the next answer, and its pieces as text. Throws why the line can't be used.
  mutating func received(_ kind: ReplyReader.Kind, _ pieces: [String]) throws(BroadcastError) {
    guard !isDone else { throw RedisError.unexpected(from: server) }
    let step = steps[answered]
    answered += 1
    guard kind == .error else {
      switch step {
      case .greet: knowsRole = try Self.check(pieces, of: server, for: purpose)
      case .identify: run = run ?? ServerRun.name(in: pieces.first ?? "")
      case .authenticate, .name, .select: break
      }
      if isDone, purpose == .histories, run == nil { throw RedisError.namesNoRun(server) }
      return
    }
    let refusal = Refusal(pieces.first ?? "")
    switch step {
    case .authenticate: throw RedisError.login(refusal, by: server)
    case .select: throw RedisError.database(refusal, by: server)
    case .identify: throw RedisError.history(refusal, at: server)
    case .greet, .name:
      // Not all servers know these commands, and not all users may give them: that does no harm.
      if refusal.concernsConnection { throw RedisError.refused(refusal, by: server) }
    }
  }

  /// Looks at the answer to the greeting: names and values in turn. Returns whether the role is among them.
  ///
  /// - Throws: Where it is no server to publish on.
  @discardableResult
  static func check(
    _ facts: [String], of server: RedisURL, for purpose: Purpose = .messages
  ) throws(BroadcastError) -> Bool {
    var knowsRole = false
    for index in stride(from: 0, to: facts.count - 1, by: 2) {
      switch (facts[index], facts[index + 1]) {
      case ("mode", "cluster") where purpose != .messages: throw RedisError.isCluster(server)
      case ("mode", "sentinel"): throw RedisError.isSentinel(server)
      case ("role", "slave"), ("role", "replica"): throw RedisError.isReplica(server)
      case ("role", _): knowsRole = true
      default: break
      }
    }
    return knowsRole
  }
}
