//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

extension ConformanceSuite {
  /// What is checked together. More may be added, so a `switch` needs a `default`.
  public struct Chapter: Sendable, Hashable, CaseIterable, CustomStringConvertible {
    enum Value: String, CaseIterable {
      case content, channelNames, invalidNames, headers, promptness, earlierMessages, order
      case commonOrder, payloadLimit, gaps, severalChannels, firstSubscribers, comingBack
      case leaving, patterns, positions, history, recovery, joining, presence, presenceUpdates
      case lifecycle, betweenInstances, presenceBetweenInstances
    }
    let value: Value

    /// Any payload arrives as it was published.
    public static let content = Chapter(value: .content)
    /// Any channel name works, and none is taken for another.
    public static let channelNames = Chapter(value: .channelNames)
    /// Names that break the rules are refused.
    public static let invalidNames = Chapter(value: .invalidNames)
    /// Headers arrive, or are refused.
    public static let headers = Chapter(value: .headers)
    /// What is published after `subscribe` returned arrives.
    public static let promptness = Chapter(value: .promptness)
    /// What was published before does not arrive, where the backend says so.
    public static let earlierMessages = Chapter(value: .earlierMessages)
    /// The messages of one publisher arrive in their order.
    public static let order = Chapter(value: .order)
    /// All subscribers see one order, where the backend says so.
    public static let commonOrder = Chapter(value: .commonOrder)
    /// A payload over the limit is refused, and one at the limit is not.
    public static let payloadLimit = Chapter(value: .payloadLimit)
    /// A slow reader gets a gap with the count, or the error that it asked for.
    public static let gaps = Chapter(value: .gaps)
    /// One subscription reads several channels.
    public static let severalChannels = Chapter(value: .severalChannels)
    /// Subscribers who come at once, also as the first ones, all hear.
    public static let firstSubscribers = Chapter(value: .firstSubscribers)
    /// A channel that everybody has left works for the next one who comes.
    public static let comingBack = Chapter(value: .comingBack)
    /// A subscription that was dropped, cancelled or left is gone.
    public static let leaving = Chapter(value: .leaving)
    /// A subscription to a pattern gets what matches it, where the backend has patterns, or is refused.
    public static let patterns = Chapter(value: .patterns)
    /// Receipts and messages have positions, where the backend says so.
    public static let positions = Chapter(value: .positions)
    /// A channel keeps its last messages, where the backend has histories, or it is refused to ask for them.
    public static let history = Chapter(value: .history)
    /// A subscription begins with the past that it asked for, and says truthfully whether it is whole.
    public static let recovery = Chapter(value: .recovery)
    /// Who joins while messages pour in gets past and present without a hole, a double or a swap between them.
    public static let joining = Chapter(value: .joining)
    /// Who is present is known, where the backend says so, or it is refused to be present.
    public static let presence = Chapter(value: .presence)
    /// Watchers learn who is present, and then who joins, leaves and changes, without a hole between.
    public static let presenceUpdates = Chapter(value: .presenceUpdates)
    /// Nothing works before `run()` and after its end, and the end wakes everyone.
    public static let lifecycle = Chapter(value: .lifecycle)
    /// A message goes from one instance to another, where they share a broker.
    public static let betweenInstances = Chapter(value: .betweenInstances)
    /// A member of several instances is one, where they share a broker, and watchers of all of them learn the same.
    public static let presenceBetweenInstances = Chapter(value: .presenceBetweenInstances)

    /// All chapters, in the order in which ``ConformanceSuite/run()`` plays them.
    public static var allCases: [Chapter] { Value.allCases.map(Chapter.init) }

    public var description: String { value.rawValue }
  }
}
