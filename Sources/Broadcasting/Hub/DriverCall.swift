//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A call that a channel asks of the driver, on its way to the task which makes it. A channel has one at a time.
struct DriverCall: Sendable {
  var feed: ChannelFeed
  var call: ChannelFeed.Machine.Call
  /// Where it renews a subscription.
  var round: RenewalRound?
}
