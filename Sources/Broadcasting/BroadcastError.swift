//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What went wrong in a call of this library.
public struct BroadcastError: Error, Sendable {
  /// Which error it is. More codes may be added, so a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case notRunning, alreadyRunning, cancelled, closed
      case invalidChannel, invalidPattern, tooManyChannels, messageTooLarge, invalidText, undecodable
      case unsupportedHeaders, unsupportedPatterns, unsupportedHistory, invalidPosition
      case unsupportedPresence, presenceFull, invalidMember
      case fellBehind, missedMessages, alreadyIterating
      case unavailable, timedOut, refused, invalidURL, unknownScheme
    }
    private let value: Value

    /// `run()` has not been called in time, or has ended.
    public static let notRunning = Code(value: .notRunning)
    /// `run()` was called a second time.
    public static let alreadyRunning = Code(value: .alreadyRunning)
    /// The calling task was cancelled before the call was done.
    public static let cancelled = Code(value: .cancelled)
    /// What was used has been closed before.
    public static let closed = Code(value: .closed)
    /// A channel's name breaks a rule.
    public static let invalidChannel = Code(value: .invalidChannel)
    /// A pattern breaks a rule.
    public static let invalidPattern = Code(value: .invalidPattern)
    /// More channels at once than allowed.
    public static let tooManyChannels = Code(value: .tooManyChannels)
    /// The message is larger than the backend takes.
    public static let messageTooLarge = Code(value: .messageTooLarge)
    /// The backend cannot carry headers.
    public static let unsupportedHeaders = Code(value: .unsupportedHeaders)
    /// The backend cannot subscribe to patterns.
    public static let unsupportedPatterns = Code(value: .unsupportedPatterns)
    /// The channel, or the backend, keeps no history.
    public static let unsupportedHistory = Code(value: .unsupportedHistory)
    /// A position was asked for where it has no meaning.
    public static let invalidPosition = Code(value: .invalidPosition)
    /// The backend does not know who is present.
    public static let unsupportedPresence = Code(value: .unsupportedPresence)
    /// There are as many members on the channel, or members and watched channels of this program, as are allowed.
    public static let presenceFull = Code(value: .presenceFull)
    /// A member's name breaks a rule, or its info is too long.
    public static let invalidMember = Code(value: .invalidMember)
    /// Text was asked for, and the bytes are not UTF-8.
    public static let invalidText = Code(value: .invalidText)
    /// A payload could not be encoded, or decoded as the type that was asked for.
    public static let undecodable = Code(value: .undecodable)
    /// The subscription's buffer was full, and its policy is to fail.
    public static let fellBehind = Code(value: .fellBehind)
    /// Messages are missing, and the reader asked for an error in this case.
    public static let missedMessages = Code(value: .missedMessages)
    /// A subscription has one reader, and already has it.
    public static let alreadyIterating = Code(value: .alreadyIterating)
    /// The broker cannot be reached now.
    public static let unavailable = Code(value: .unavailable)
    /// The broker did not answer in time.
    public static let timedOut = Code(value: .timedOut)
    /// The broker answered, and said no.
    public static let refused = Code(value: .refused)
    /// A URL that cannot be understood.
    public static let invalidURL = Code(value: .invalidURL)
    /// No backend is known for the URL's scheme.
    public static let unknownScheme = Code(value: .unknownScheme)

    public var description: String { value.rawValue }
  }

  /// What became of a message whose publishing failed.
  public enum Outcome: Sendable, Hashable {
    /// Nobody will get it. It can be published again.
    case notSent
    /// It may have arrived, or still arrive: late, and behind messages that were published after it. Publishing it again
    /// may double it.
    case unconfirmed
  }

  public var code: Code

  /// What was wrong, which limit there is, and what to do.
  public var message: String

  /// Whether the same call can succeed later without a change.
  public var isRetriable: Bool

  /// Set where publishing failed.
  public var outcome: Outcome?

  /// What caused it, where that is an error of its own.
  public var underlying: (any Error)?

  public init(
    _ code: Code, _ message: String, isRetriable: Bool = false, outcome: Outcome? = nil,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.isRetriable = isRetriable
    self.outcome = outcome
    self.underlying = underlying
  }
}

extension BroadcastError: CustomStringConvertible {
  public var description: String {
    var text = "\(code): \(message)"
    switch outcome {
    case .notSent: text += " (not sent)"
    case .unconfirmed: text += " (unconfirmed: it may have arrived)"
    case nil: break
    }
    if let underlying { text += " Cause: \(underlying)" }
    return text
  }
}

extension BroadcastError {
  static func invalidChannel(_ message: String) -> BroadcastError { .init(.invalidChannel, message) }

  static func invalidPattern(_ message: String) -> BroadcastError { .init(.invalidPattern, message) }

  static var invalidText: BroadcastError {
    .init(.invalidText, "The bytes are not valid UTF-8. Publish them as a binary message instead.")
  }

  package static var cancelled: BroadcastError { .init(.cancelled, "The task was cancelled while it waited.") }

  static var alreadyIterating: BroadcastError {
    .init(.alreadyIterating, "A subscription has one reader. Subscribe once more for a second one.")
  }

  package static var patternsUnsupported: BroadcastError {
    .init(.unsupportedPatterns, "This backend cannot subscribe to patterns. Subscribe to channels by their names.")
  }

  package static func noHistory(of channel: Channel) -> BroadcastError {
    .init(
      .unsupportedHistory,
      """
      The channel \(channel) keeps no history here. Give it one in the `history` of the configuration, that of the server \
      where one is asked, or subscribe from .live.
      """
    )
  }

  package static var historyUnsupported: BroadcastError {
    .init(.unsupportedHistory, "This backend keeps no history. Memory and Redis do; elsewhere subscribe from .live.")
  }

  static func invalidMember(_ message: String) -> BroadcastError { .init(.invalidMember, message) }

  package static var presenceUnsupported: BroadcastError {
    .init(.unsupportedPresence, "This backend does not know who is present on a channel. Memory and Redis do.")
  }

  static func presenceFull(_ message: String) -> BroadcastError { .init(.presenceFull, message, isRetriable: true) }

  static func neverStarted(after patience: Duration) -> BroadcastError {
    .init(
      .notRunning,
      "Nobody called run() within \(patience). Call it in a task beside the program, or use withBroadcast.",
      isRetriable: true)
  }

  static func notReached(after patience: Duration, _ last: BroadcastError?) -> BroadcastError {
    .init(
      .unavailable,
      "The broker has not been reached yet: run() was called, and had no connection within \(patience). Try again."
        + (last.map { " The last attempt failed: \($0.message)" } ?? ""), isRetriable: true, underlying: last)
  }

  static func connectionLost(because error: BroadcastError) -> BroadcastError {
    .init(
      .unavailable, "The connection to the broker is lost; it is being renewed. Try again.", isRetriable: true,
      underlying: error)
  }

  package static var ended: BroadcastError {
    .init(.notRunning, "run() has ended, and with it all that it served.")
  }

  /// There is no connection, or none yet.
  package static var notConnected: BroadcastError {
    .init(.unavailable, "The broker is not connected.", isRetriable: true)
  }

  static func failed(because failure: BroadcastError) -> BroadcastError {
    .init(.notRunning, "run() has failed, and with it all that it served: \(failure.message)", underlying: failure)
  }

  static func tooManyChannels(_ count: Int, limit: Int) -> BroadcastError {
    .init(.tooManyChannels, "One subscription asked for \(count) channels; at most \(limit) are allowed.")
  }

  static func messageTooLarge(_ bytes: Int, limit: Int) -> BroadcastError {
    .init(.messageTooLarge, "The message has \(bytes) bytes; at most \(limit) are allowed here.", outcome: .notSent)
  }

  /// The same, with an outcome where it has none.
  package func with(outcome: Outcome) -> BroadcastError {
    var copy = self
    copy.outcome = self.outcome ?? outcome
    return copy
  }
}
