//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// How much of a channel is kept. The limit that is reached first counts.
///
/// The newest message is kept even when it alone is over the limit of bytes. Values outside of what is allowed are taken as
/// the nearest that is.
public struct HistoryPolicy: Sendable, Hashable {
  public static let defaultMaximumMessages = 100
  public static let defaultMaximumBytes = 1_024 * 1_024
  public static let defaultMaximumAge = Duration.seconds(24 * 3_600)

  /// The most that can be asked for.
  public static let greatestMessages = 100_000
  public static let greatestBytes = 64 * 1_024 * 1_024
  public static let greatestAge = Duration.seconds(366 * 24 * 3_600)

  /// At least 1.
  public let maximumMessages: Int

  /// Payloads and headers, in the form in which the backend keeps them. At least 1.
  ///
  /// At most so many are kept, beside the newest message. Redis drops down to seven eighths when it comes to the limit, so
  /// that it need not count anew with each message: there may be an eighth less than would fit.
  public let maximumBytes: Int

  /// At least 1 s. There is always one, so that channels which nobody uses any more go.
  public let maximumAge: Duration

  public init(
    maximumMessages: Int = defaultMaximumMessages, maximumBytes: Int = defaultMaximumBytes,
    maximumAge: Duration = defaultMaximumAge
  ) {
    self.maximumMessages = min(max(1, maximumMessages), Self.greatestMessages)
    self.maximumBytes = min(max(1, maximumBytes), Self.greatestBytes)
    self.maximumAge = min(max(.seconds(1), maximumAge), Self.greatestAge)
  }
}
