//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

/// What a backend has to do: carry bytes between machines.
///
/// A ``Hub`` does all else: it serves local subscribers, asks for one subscription of the broker however many of them there
/// are, renews the subscriptions after a lost connection, tells of gaps, and waits longer and longer between attempts
/// to connect. Hand a driver to ``Hub/init(driver:configuration:)`` and you have a backend.
///
/// The hub calls `subscribe`, `catchUp` and `unsubscribe` for one channel or pattern one after the other, for different ones at once, and
/// only while a session is connected, as far as it knows: a call that finds it ended, or is under way when it ends, has to
/// throw. Its task is cancelled then, and the next session begins when all of them have returned.
///
/// Requirements that are added later come with a default, so that a type which conforms today goes on compiling.
public protocol BroadcastDriver: Sendable {
  var capabilities: Capabilities { get }

  /// How many calls of `subscribe` and `catchUp`, and how many of `unsubscribe`, may be under way at once; 256 unless said otherwise.
  ///
  /// After a lost connection all channels are asked for again, so with a broker that takes long to answer this decides how
  /// soon all of them are back. A driver that sends calls one behind the other, without a wait for the answers, takes
  /// thousands. One that opens a connection for each takes few.
  var maximumCallsAtOnce: Int { get }

  /// One session with the broker: connects, calls ``DriverInbox/connected()``, hands what arrives to the inbox, and stays
  /// until the connection is lost or the task is cancelled.
  ///
  /// The hub calls it again after it has thrown, unless its task was cancelled. It should notice a dead peer by itself.
  ///
  /// - Throws: Why it could not connect, or why the connection was lost. An error which is not retriable (a wrong
  ///   password) ends the hub's `run()` if it never was connected.
  func run(_ inbox: DriverInbox) async throws(BroadcastError)

  /// Subscribes to a channel at the broker. Returns when the broker has confirmed it: what is published after that has to
  /// arrive in the inbox.
  func subscribe(to channel: Channel) async throws(BroadcastError)

  /// Subscribes to a channel, and says where it stands: all that is published behind this position arrives. The hub calls it
  /// in place of ``subscribe(to:)-(Channel)`` where ``Capabilities/hasHistory`` says so.
  ///
  /// A head that is older than what has arrived does no harm, for the hub asks for what lies between.
  ///
  /// - Returns: The position of the newest message, ``MessagePosition/beginning`` where there never was one, and nil where the
  ///   channel has no history. The default subscribes and returns nil.
  func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition?

  /// Reads a part of a channel's history. The default throws ``BroadcastError/Code/unsupportedHistory``.
  ///
  /// Several can be under way at once, also for channels that are not subscribed to.
  func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage

  /// Returns when all that was published to a subscribed channel before this call has been handed to the inbox.
  ///
  /// The hub asks for it where ``Capabilities/mayDeliverEarlierMessages`` is false. A channel is subscribed to once at the
  /// broker, so whoever joins later would get what is still on its way from there. It gets what arrives after this has
  /// returned. Some who come at about the same time share a call.
  ///
  /// The default returns at once: right where everything has arrived when `publish` returns.
  ///
  /// - Throws: Why it cannot be known. Those who wait for it fail with this error; the channel stays subscribed for the
  ///   others.
  func catchUp(with channel: Channel) async throws(BroadcastError)

  /// Unsubscribes from a channel at the broker.
  func unsubscribe(from channel: Channel) async throws(BroadcastError)

  /// Subscribes to all channels that match a pattern, where ``Capabilities/hasPatterns`` says so; ``DriverInbox/received(_:matching:)``
  /// takes what arrives.
  func subscribe(to pattern: ChannelPattern) async throws(BroadcastError)

  /// Unsubscribes from a pattern at the broker.
  func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError)

  /// Publishes messages in their order. Returns when the broker has them.
  ///
  /// The hub has checked channels, sizes and headers against ``capabilities``. Several calls can be under way at once.
  /// ``Envelope`` turns a message into the bytes that go over the wire. When the task that runs the session is cancelled,
  /// calls under way have to throw.
  ///
  /// - Returns: A receipt for each message.
  /// - Throws: An error whose ``BroadcastError/outcome`` says whether the messages may have arrived.
  func publish(_ messages: [Message]) async throws(BroadcastError) -> [Receipt]

  // What follows is called where ``Capabilities/hasPresence`` says so, one call for a channel after the other but for reads.

  /// Enters members, and takes others out. Every member of the broker is counted by the processes that have it: it joins with
  /// the first and leaves with the last.
  ///
  /// A process whose changes and checks have stayed away for too long is taken for dead, and its members leave.
  ///
  /// - Returns: The names that are refused because the channel is full.
  func changePresence(_ change: PresenceChange) async throws(BroadcastError) -> [String]

  /// Says that a process lives, and asks whether its members are there.
  func checkPresence(_ check: PresenceCheck) async throws(BroadcastError) -> PresenceAnswer

  /// All who are present on a channel. Several can be under way at once.
  func presence(of channel: Channel) async throws(BroadcastError) -> PresenceSnapshot

  /// Has ``DriverInbox/presence(_:on:)`` called with all updates of a channel that come after this has returned.
  func watchPresence(of channel: Channel) async throws(BroadcastError)

  /// Ends that.
  func unwatchPresence(of channel: Channel) async throws(BroadcastError)

  /// No change will follow in this session, whose task has been cancelled.
  ///
  /// A driver may hold its session open for that after it was cancelled, two seconds at most, so that the members of a
  /// program which ends leave at once. In one that does not they leave as those of a dead process.
  func finishPresence() async
}

extension BroadcastDriver {
  public var maximumCallsAtOnce: Int { 256 }

  public func open(_ channel: Channel) async throws(BroadcastError) -> MessagePosition? {
    try await subscribe(to: channel)
    return nil
  }

  public func history(of channel: Channel, _ query: HistoryQuery) async throws(BroadcastError) -> HistoryPage {
    throw .historyUnsupported
  }

  public func catchUp(with channel: Channel) async throws(BroadcastError) {}

  public func subscribe(to pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }
  public func unsubscribe(from pattern: ChannelPattern) async throws(BroadcastError) { throw .patternsUnsupported }
}
