//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// Knows which subscriber has to get which message, and finds each delivery that is wrong: lost, doubled, out of order
/// or damaged. No sockets, no clock.
///
/// Channels have their subscribers in turn, and their messages: with three channels the message 7 goes to channel 1,
/// which has the subscribers 1, 4, 7 and so on. What one connection publishes to one channel has to come in its order.
struct DeliveryChecker: Sendable {
  enum Verdict: Hashable, Sendable {
    /// The right message, for the first time. `isLast`: all its subscribers have it now.
    case delivered(number: Int, stamp: UInt64, isLast: Bool)
    /// The subscriber has had it already.
    case doubled
    /// No payload that was published, or none for this subscriber.
    case damaged
  }

  /// What went wrong, and what went right.
  struct Counts: Hashable, Sendable {
    /// Deliveries that there have to be: each message once for each subscriber that its channel had then.
    var expected = 0
    var delivered = 0
    var doubled = 0
    /// They came behind a later message of the same connection; they count as delivered too.
    var outOfOrder = 0
    var damaged = 0
  }

  private let channels: Int
  private let connections: Int
  private let payload: Payload
  private(set) var counts = Counts()
  private(set) var missing = MissingDeliveries()
  private(set) var window = MessageWindow()
  /// Subscribers by channel, those that were cut left out.
  private var audience: [Int]
  private var isCut: [Bool]
  /// The ordinal of the next message, by channel and connection.
  private var published: [Int32]
  /// The ordinal of the message that has to come next, by subscriber and connection.
  private var awaited: [Int32]

  /// - Parameter size: bytes of a payload, at least ``Payload/headLength``.
  init(subscribers: Int, channels: Int, connections: Int, size: Int) {
    self.channels = channels
    self.connections = connections
    payload = Payload(size: size)
    audience = (0..<channels).map { (subscribers - $0 + channels - 1) / channels }
    isCut = Array(repeating: false, count: subscribers)
    published = Array(repeating: 0, count: channels * connections)
    awaited = Array(repeating: 0, count: subscribers * connections)
  }

  /// The channel of a message, and of a subscriber.
  func channel(of number: Int) -> Int { number % channels }

  /// The next message goes out, by this connection.
  /// - Returns: its number.
  mutating func publish(at stamp: UInt64, by connection: Int) -> Int {
    let number = window.next
    let channel = channel(of: number)
    let place = channel * connections + connection
    let outstanding = audience[channel]
    window.append(
      .init(
        head: payload.head(Marker(number: number, stamp: stamp)), stamp: stamp, connection: connection,
        channel: channel,
        ordinal: Int(published[place]), outstanding: outstanding))
    published[place] += 1
    counts.expected += outstanding
    return number
  }

  mutating func answered(_ number: Int) { window.answered(number) }

  mutating func receive(_ bytes: UnsafeRawBufferPointer, subscriber: Int) -> Verdict {
    guard let number = Marker.readNumber(bytes), number < window.next, payload.hasRightTail(bytes) else {
      return damaged()
    }
    guard let entry = window.entry(number) else { return doubled() }
    guard Payload.begins(bytes, with: entry.head), channels == 1 || entry.channel == channel(of: subscriber) else {
      return damaged()
    }
    let place = subscriber * connections + entry.connection
    let due = Int(awaited[place])
    if entry.ordinal >= due {
      if entry.ordinal > due { missing.add(due..<entry.ordinal, of: entry.connection, for: subscriber) }
      awaited[place] = Int32(entry.ordinal + 1)
    } else if missing.remove(entry.ordinal, of: entry.connection, for: subscriber) {
      counts.outOfOrder += 1
    } else {
      return doubled()
    }
    counts.delivered += 1
    return .delivered(number: number, stamp: entry.stamp, isLast: window.countDelivery(of: number))
  }

  /// A frame came that can be no message of ours.
  mutating func damaged() -> Verdict {
    counts.damaged += 1
    return .damaged
  }

  private mutating func doubled() -> Verdict {
    counts.doubled += 1
    return .doubled
  }

  /// A subscriber is gone: what it has not had is lost, and not waited for.
  mutating func cut(_ subscriber: Int) {
    if isCut[subscriber] { return }
    isCut[subscriber] = true
    let channel = channel(of: subscriber)
    audience[channel] -= 1
    for number in window.first..<window.next {
      guard let entry = window.entry(number), entry.channel == channel else { continue }
      let isDue = entry.ordinal >= Int(awaited[subscriber * connections + entry.connection])
      if isDue || missing.contains(entry.ordinal, of: entry.connection, for: subscriber) {
        _ = window.countDelivery(of: number)
      }
    }
  }
}
