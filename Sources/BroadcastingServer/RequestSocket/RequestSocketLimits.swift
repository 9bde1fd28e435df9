//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Limits on what one socket of ``Routes/requestSocket(_:limits:notifying:)`` makes the server do and hold.
public struct RequestSocketLimits: Sendable {
  /// Requests that are answered at a time, at least 1. Beyond it nothing more is read from the socket until one is done.
  /// With 1 the answers come in the order of the requests, and each request is done before the next begins.
  public var inFlight: Int {
    didSet { inFlight = max(1, inFlight) }
  }

  /// The longest answer in bytes, as the frame that it is sent in, at most 1 GiB. A longer one becomes an error with 500.
  public var answerBytes: Int {
    didSet { answerBytes = min(answerBytes, Self.mostAnswerBytes) }
  }

  private static let mostAnswerBytes = 1 << 30

  public init(inFlight: Int = 16, answerBytes: Int = 1 << 20) {
    self.inFlight = max(1, inFlight)
    self.answerBytes = min(answerBytes, Self.mostAnswerBytes)
  }
}
