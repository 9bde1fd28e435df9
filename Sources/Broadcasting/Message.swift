//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What is published to a channel and delivered to its subscribers.
///
/// A message never changes. Copies share one allocation, so handing it to a thousand subscribers copies no payload.
public struct Message: Sendable {
  /// Whether the payload is meant as text.
  ///
  /// This survives every backend, and decides which kind of frame a WebSocket client gets.
  public enum Kind: Sendable, Hashable {
    /// The payload is valid UTF-8.
    case text
    /// The payload is any bytes, which may happen to be valid UTF-8.
    case binary
  }

  /// A named value beside the payload. Names may repeat; the order is kept.
  public struct Header: Sendable, Hashable {
    public var name: String
    public var value: [UInt8]

    public init(_ name: String, _ value: [UInt8]) {
      self.name = name
      self.value = value
    }

    public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
  }

  // One reference for the whole message: a copy is one retain, and a `Delivery` is as wide as a pointer. Inlinable, so
  // that a look at a message needs no copy of it: thousands of readers on several cores would count in the same place.
  @usableFromInline let storage: Storage

  @usableFromInline final class Storage: Sendable {
    @usableFromInline let channel: Channel
    @usableFromInline let payload: [UInt8]
    @usableFromInline let kind: Kind
    @usableFromInline let headers: [Header]
    @usableFromInline let position: MessagePosition?

    init(channel: Channel, payload: [UInt8], kind: Kind, headers: [Header], position: MessagePosition?) {
      self.channel = channel
      self.payload = payload
      self.kind = kind
      self.headers = headers
      self.position = position
    }
  }

  /// Makes a text message.
  public init(_ text: String, to channel: Channel, headers: [Header] = [], position: MessagePosition? = nil) {
    self.init(validUTF8: Array(text.utf8), to: channel, headers: headers, position: position)
  }

  /// Makes a binary message.
  public init(_ payload: [UInt8], to channel: Channel, headers: [Header] = [], position: MessagePosition? = nil) {
    storage = Storage(channel: channel, payload: payload, kind: .binary, headers: headers, position: position)
  }

  /// Makes a text message of bytes.
  ///
  /// - Throws: ``BroadcastError/Code/invalidText`` when they are not UTF-8.
  public init(
    utf8 payload: [UInt8], to channel: Channel, headers: [Header] = [], position: MessagePosition? = nil
  ) throws(BroadcastError) {
    guard String(validating: payload, as: UTF8.self) != nil else { throw .invalidText }
    self.init(validUTF8: payload, to: channel, headers: headers, position: position)
  }

  /// Makes a text message of bytes which the caller knows to be UTF-8, without looking at them again.
  package init(
    validUTF8 payload: [UInt8], to channel: Channel, headers: [Header] = [], position: MessagePosition? = nil
  ) {
    storage = Storage(channel: channel, payload: payload, kind: .text, headers: headers, position: position)
  }

  @inlinable public var channel: Channel { storage.channel }
  @inlinable public var payload: [UInt8] { storage.payload }
  @inlinable public var kind: Kind { storage.kind }
  @inlinable public var headers: [Header] { storage.headers }

  /// Its place in the backend's log, where the backend keeps one and the message came from there.
  @inlinable public var position: MessagePosition? { storage.position }

  /// The same message at a place in a log.
  func positioned(at position: MessagePosition) -> Message {
    Message(
      storage: Storage(
        channel: channel, payload: payload, kind: kind, headers: headers, position: position))
  }

  /// The same message at no place. What somebody publishes has none yet, whatever log it was read from.
  var withoutPosition: Message {
    guard storage.position != nil else { return self }
    return Message(
      storage: Storage(channel: channel, payload: payload, kind: kind, headers: headers, position: nil))
  }

  private init(storage: Storage) { self.storage = storage }

  /// The payload as text, or nil when the message is binary.
  public var text: String? { kind == .text ? String(decoding: payload, as: UTF8.self) : nil }

  /// What a buffer counts for it: the payload, the headers, and 64 bytes for what holds them.
  package var bufferedBytes: Int {
    var bytes = 64 + storage.payload.count
    if storage.headers.isEmpty { return bytes }
    for header in headers { bytes += 64 + header.name.utf8.count + header.value.count }
    return bytes
  }
}

extension Message: Equatable {
  public static func == (left: Message, right: Message) -> Bool {
    if left.storage === right.storage { return true }
    return left.channel == right.channel && left.kind == right.kind && left.payload == right.payload
      && left.headers == right.headers && left.position == right.position
  }
}

extension Message: CustomStringConvertible {
  public var description: String {
    let content = text.map { "\"\($0.prefix(80))\"" } ?? "binary"
    return "Message(channel: \(channel), \(content), \(payload.count) bytes)"
  }
}
