//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting

/// What goes to the database in one transaction. A machine that does nothing itself.
///
/// While one transaction is under way all that is published waits, and goes in the next one. So what a commit costs is shared
/// by as many as there are, and nobody waits for a timer.
struct PublishBatch {
  /// Enough that what a transaction costs no longer shows, and few enough that the first of them does not wait long.
  static let maximumMessages = SentTable.capacity
  static let maximumBytes = 1024 * 1024

  private(set) var channels = TextArray()
  private(set) var payloads = TextArray()
  /// How many messages are in it, the probe apart.
  private(set) var messages = 0
  private(set) var probe: UInt64?
  private var sent = SentTable()
  private var lastNumber = 0
  // The publishers of a program are mostly on few channels.
  private var lastChannel: Channel?
  private var lastName: [UInt8] = []
  private var lastElement: [UInt8] = []

  var isEmpty: Bool { payloads.count == 0 }

  mutating func clear() {
    channels.clear()
    payloads.clear()
    sent.clear()
    messages = 0
    probe = nil
  }

  mutating func add(probe number: UInt64, on name: ChannelName) {
    probe = number
    channels.append(name.bytes)
    payloads.append(Array(String(number).utf8))
  }

  /// Adds a message. Returns false when it has to wait for the next transaction: since there is an equal one in this, or it
  /// is full. An empty one takes any message.
  mutating func add(_ message: Message) -> Bool {
    // Looked at where it lies: to count references costs more here than all that is done with a short text.
    if Envelope.isPlain(message, on: .text) {
      return message.payload.withUnsafeBytes { add($0, on: message.channel) }
    }
    return Envelope.encode(message, for: .text).withUnsafeBytes { add($0, on: message.channel) }
  }

  private mutating func add(_ text: UnsafeRawBufferPointer, on channel: Channel) -> Bool {
    if !isEmpty {
      guard messages < Self.maximumMessages, payloads.bytes.count + text.count <= Self.maximumBytes else {
        return false
      }
    }
    if channel != lastChannel {
      lastChannel = channel
      lastName = ChannelName(of: channel).bytes
      lastElement = TextArray.element(lastName)
    }
    if text.count <= Part.maximumNotification {
      guard sent.insert(lastName, text) else { return false }
      channels.append(element: lastElement)
      payloads.append(text)
    } else {
      addParts(of: Array(text))
    }
    messages += 1
    return true
  }

  private mutating func addParts(of text: [UInt8]) {
    lastNumber += 1
    let pieces = Part.cut(text)
    for (index, piece) in pieces.enumerated() {
      let part = Part(number: lastNumber, index: index + 1, count: pieces.count, totalBytes: text.count)
      channels.append(element: lastElement)
      payloads.append(part.header, text[piece])
    }
  }

  /// Makes the arrays ready to be sent.
  mutating func finish() {
    channels.finish()
    payloads.finish()
  }
}
