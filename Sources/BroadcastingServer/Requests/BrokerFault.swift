//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What clients are told of an error of the library.
///
/// An error of the broker names its address and what its administrator may do: that is for the log. One about what the
/// client asked for is told as it is.
extension BroadcastError {
  /// Whether its own text is about the client's request alone.
  private var isAboutRequest: Bool {
    switch code {
    case .invalidChannel, .invalidPattern, .tooManyChannels, .messageTooLarge, .invalidText, .undecodable,
      .unsupportedHeaders, .unsupportedPatterns, .invalidPosition, .unsupportedPresence, .invalidMember:
      true
    default: false
    }
  }

  /// Whether the log should have its text, because clients don't get it and it tells more than that the server stops.
  var isBrokerFault: Bool {
    switch code {
    case .notRunning, .cancelled, .closed: underlying != nil
    case .fellBehind, .missedMessages, .unsupportedHistory: false
    default: !isAboutRequest
    }
  }

  var clientMessage: String {
    if isAboutRequest { return message }
    if code == .unsupportedHistory {
      return "This channel keeps no history here. Subscribe to it without last and after."
    }
    switch (outcome, code) {
    case (.unconfirmed, .timedOut): return "The broker did not take the message in time. It may have arrived."
    case (.unconfirmed, _): return "The broker did not confirm the message. It may have arrived."
    case (_, .refused) where !isRetriable: return "The broker refuses this message or channel."
    case (_, .notRunning), (_, .cancelled), (_, .closed): return "The server stops, or has not started yet."
    case (.notSent, _): return "The broker takes no messages now. This one was not sent: try again."
    case (nil, .timedOut): return "The broker did not answer in time. Try again."
    case (nil, _): return "The broker cannot be reached now. Try again."
    }
  }
}
