//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingClient
import BroadcastingNetwork

/// Why a command failed: what the user reads, and how the program ends.
struct Failure: Error, Hashable, Sendable {
  let message: String
  let exitCode: ExitCode

  init(_ message: String, _ exitCode: ExitCode) {
    self.message = message
    self.exitCode = exitCode
  }

  init(_ error: any Error) {
    switch error {
    case let error as Failure: self = error
    case let error as BroadcastError: self.init(error)
    case let error as NetworkError: self.init(error.message, Self.exitCode(of: error.code))
    case let error as StreamFailure: self.init(error.message, .outputFailed)
    default: self.init("\(error)", .misuse)
    }
  }

  /// Says it on standard error, with what else there is to say.
  ///
  /// - Returns: how the program ends.
  func tell(_ more: String? = nil) -> ExitCode {
    let lines = [message, more].compactMap { $0 }.map { "broadcast: \(TerminalText.escape($0))\n" }
    StandardStream.print(lines.joined(), to: StandardStream.error)
    return exitCode
  }

  private init(_ error: BroadcastError) {
    // That a connection is lost or never came is said by its cause.
    if let cause = error.underlying as? BroadcastError, error.code == .notRunning || error.code == .unavailable {
      self.init(cause)
      return
    }
    switch error.underlying {
    case let cause as NetworkError where cause.code == .certificateRefused:
      self.init("\(error.message) (a file of authorities is given by --ca-file)", .untrusted)
    case let cause as NetworkError: self.init(error.message, Self.exitCode(of: cause.code))
    case is HTTPError: self.init(error.message, .strangeAnswer)
    case let cause as ServerRefusal: self.init(error.message, Self.exitCode(ofStatus: cause.status))
    default: self.init(error.message, Self.exitCodes[error.code] ?? .misuse)
    }
  }

  private static func exitCode(ofStatus status: Int) -> ExitCode {
    switch status {
    case 300...399: .redirected
    case 400...: .refused
    default: .strangeAnswer
    }
  }

  private static func exitCode(of code: NetworkError.Code) -> ExitCode { networkExitCodes[code] ?? .notConnected }

  private static let networkExitCodes: [NetworkError.Code: ExitCode] = [
    .notFound: .unknownHost, .lookUpFailed: .unknownHost, .timedOut: .timedOut, .reset: .receivingFailed,
    .closed: .receivingFailed, .invalidAddress: .malformedURL, .tlsFailed: .tlsFailed,
    .certificateRefused: .untrusted, .authoritiesUnusable: .authorityFileFailed,
  ]

  private static let exitCodes: [BroadcastError.Code: ExitCode] = [
    .invalidURL: .malformedURL, .unknownScheme: .unknownScheme, .timedOut: .timedOut, .unavailable: .notConnected,
    .invalidChannel: .refused, .invalidPattern: .refused, .unsupportedPatterns: .refused, .tooManyChannels: .refused,
    .messageTooLarge: .refused, .unsupportedHeaders: .refused, .unsupportedHistory: .refused,
    .invalidPosition: .refused, .unsupportedPresence: .refused, .invalidMember: .refused, .presenceFull: .refused,
    .refused: .refused,
  ]
}
