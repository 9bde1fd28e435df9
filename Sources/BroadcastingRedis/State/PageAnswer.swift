//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What the script that reads has answered.
struct PageAnswer: Sendable {
  var page: HistoryPage
  /// The last position in it, also where that message was too large to be taken.
  var last: MessagePosition?

  /// Nil where it is no such answer.
  init?(_ reply: ReplyReader, of channel: Channel) {
    guard reply.count >= 2, (reply.count - 2) % 3 == 0, let head = MessagePosition(bytes: reply.bytes(at: 0)) else {
      return nil
    }
    page = HistoryPage(head: head, reachesHead: reply.bytes(at: 1).spells("1"))
    let count = (reply.count - 2) / 3
    page.messages.reserveCapacity(count)
    page.ages.reserveCapacity(count)
    for index in stride(from: 2, to: reply.count, by: 3) {
      guard let position = MessagePosition(bytes: reply.bytes(at: index)),
        let age = reply.bytes(at: index + 1)[...].decimalNumber.flatMap({ Int64(exactly: $0) })
      else { return nil }
      last = position
      switch reply.kind(at: index + 2) {
      case .text:
        let payload = Array(reply.bytes(at: index + 2))
        page.messages.append(Envelope.decode(payload, channel: channel, position: position))
        page.ages.append(.milliseconds(age))
      // Left out: by the positions it is seen that one is missing.
      case .tooLong: break
      case .error, .integer, .nothing, .list: return nil
      }
    }
  }
}
