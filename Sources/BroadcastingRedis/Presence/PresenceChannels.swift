//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// The channels of which a session is told who is present, by the names under which it is.
final class PresenceChannels {
  private let inbox: DriverInbox
  private var channels: [[UInt8]: Channel] = [:]
  /// Whether this program had members in this session.
  var hasMembers = false

  init(_ inbox: DriverInbox) { self.inbox = inbox }

  func add(_ channel: Channel, as name: [UInt8]) { channels[name] = channel }
  func remove(_ name: [UInt8]) { channels[name] = nil }

  func arrived(_ news: UnsafeRawBufferPointer, on name: UnsafeRawBufferPointer) {
    guard let channel = channels[Array(name)] else { return }
    // What does not parse is nobody's of ours; should one be missing for it, the next one shows that.
    if let news = PresenceWords.news(news) { inbox.presence(news, on: channel) }
  }
}
