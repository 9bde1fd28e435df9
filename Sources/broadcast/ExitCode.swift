//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How the program ends. The commands that talk to a server end as curl does (curl(1), "EXIT CODES").
struct ExitCode: RawRepresentable, Hashable, Sendable {
  let rawValue: Int32

  init(rawValue: Int32) { self.rawValue = rawValue }

  static let success = ExitCode(rawValue: 0)
  /// Something failed while it ran.
  static let failure = ExitCode(rawValue: 1)
  /// The command line or the environment of `serve` is wrong: EX_USAGE of sysexits(3).
  static let usage = ExitCode(rawValue: 64)

  // MARK: As curl has them

  static let unknownScheme = ExitCode(rawValue: 1)
  /// The command line is wrong.
  static let misuse = ExitCode(rawValue: 2)
  static let malformedURL = ExitCode(rawValue: 3)
  static let unknownHost = ExitCode(rawValue: 6)
  static let notConnected = ExitCode(rawValue: 7)
  /// What answers is no server of ours.
  static let strangeAnswer = ExitCode(rawValue: 8)
  /// The server said no.
  static let refused = ExitCode(rawValue: 22)
  /// Standard output takes nothing.
  static let outputFailed = ExitCode(rawValue: 23)
  /// Standard input, or a file, can't be read or holds what can't be sent.
  static let inputFailed = ExitCode(rawValue: 26)
  static let timedOut = ExitCode(rawValue: 28)
  static let tlsFailed = ExitCode(rawValue: 35)
  /// The server sends elsewhere.
  static let redirected = ExitCode(rawValue: 47)
  static let receivingFailed = ExitCode(rawValue: 56)
  /// The server's certificate can't be trusted.
  static let untrusted = ExitCode(rawValue: 60)
  /// The file of authorities can't be used.
  static let authorityFileFailed = ExitCode(rawValue: 77)
}
