//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// A frame that says where it stands: a header line in front of the payload, for clients of a server that want to come back
/// by position.
///
/// ```
/// frame   = header LF payload
/// header  = message / state
/// message = (position / "-") SP channel
/// state   = "=" (position / "-") SP ("recovered" / "missed") SP channel
/// ```
///
/// A position is written as ``MessagePosition`` writes it, `-` where there is none. The channel is percent-encoded, so that
/// it has neither a space nor a line feed: whoever writes has encoded it, and whoever reads compares or decodes it.
package struct PositionedFrame: Sendable, Hashable {
  package enum Content: Sendable, Hashable {
    /// What was published.
    case message
    /// Where the channel stood before the first live message, and whether all is there that was asked for. The payload is
    /// empty.
    case state(isComplete: Bool)
  }

  package var content: Content
  package var position: MessagePosition?
  /// Percent-encoded.
  package var channel: [UInt8]
  /// Where in the frame the payload begins.
  package var payloadStart: Int

  private static let recovered = Array("recovered".utf8)
  private static let missed = Array("missed".utf8)

  /// The most bytes that a header has beside the channel: `=`, two numbers of 20 digits, the dash between them, the longer
  /// of the words, two spaces and the line feed.
  package static let maximumHeaderBytes = 54

  /// Reads a frame. Nil where it does not begin with a header line.
  package init?(_ frame: [UInt8]) {
    guard let end = frame.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let isState = frame[0] == UInt8(ascii: "=")
    let words = frame[(isState ? 1 : 0)..<end].split(
      separator: UInt8(ascii: " "), maxSplits: isState ? 2 : 1, omittingEmptySubsequences: false)
    guard words.count == (isState ? 3 : 2), let last = words.last, !last.isEmpty, !last.contains(UInt8(ascii: " "))
    else {
      return nil
    }
    if words[0].elementsEqual(CollectionOfOne(UInt8(ascii: "-"))) {
      position = nil
    } else {
      guard let position = MessagePosition(String(decoding: words[0], as: UTF8.self)) else { return nil }
      self.position = position
    }
    if isState {
      guard end == frame.count - 1 else { return nil }
      switch words[1] {
      case Self.recovered[...]: content = .state(isComplete: true)
      case Self.missed[...]: content = .state(isComplete: false)
      default: return nil
      }
    } else {
      content = .message
    }
    channel = Array(last)
    payloadStart = end + 1
  }

  // MARK: Writing

  /// Appends the header line of a message.
  package static func appendHeader(of position: MessagePosition?, on channel: [UInt8], to frame: inout [UInt8]) {
    append(position, to: &frame)
    frame.append(UInt8(ascii: " "))
    frame.append(contentsOf: channel)
    frame.append(UInt8(ascii: "\n"))
  }

  /// A frame that says where a channel stands.
  package static func state(_ position: MessagePosition?, isComplete: Bool, on channel: [UInt8]) -> [UInt8] {
    var frame = [UInt8(ascii: "=")]
    append(position, to: &frame)
    frame.append(UInt8(ascii: " "))
    frame.append(contentsOf: isComplete ? recovered : missed)
    frame.append(UInt8(ascii: " "))
    frame.append(contentsOf: channel)
    frame.append(UInt8(ascii: "\n"))
    return frame
  }

  private static func append(_ position: MessagePosition?, to frame: inout [UInt8]) {
    if let position {
      append(position.epoch, to: &frame)
      frame.append(UInt8(ascii: "-"))
      append(position.offset, to: &frame)
    } else {
      frame.append(UInt8(ascii: "-"))
    }
  }

  /// In decimal, without a string: it is done for each message.
  private static func append(_ number: UInt64, to frame: inout [UInt8]) {
    let start = frame.count
    var rest = number
    repeat {
      frame.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    frame[start...].reverse()
  }
}
