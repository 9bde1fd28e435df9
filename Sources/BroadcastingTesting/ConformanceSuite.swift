//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

public import Broadcasting

/// Checks that a backend keeps the promises of ``Broadcasting/Broadcast``.
///
/// It imports no test framework, so it runs under any: what is broken is thrown as a ``ConformanceFailure``.
///
/// ```swift
/// @Test(arguments: ConformanceSuite.Chapter.allCases)
/// func conformance(chapter: ConformanceSuite.Chapter) async throws {
///   try await ConformanceSuite { MyBroadcast(url: url) }.run(chapter)
/// }
/// ```
///
/// What a backend is tested for follows from its ``Broadcasting/Capabilities``. One that keeps histories is made with one of 50
/// messages for the channels of the chapters about them:
///
/// ```swift
/// configuration.history = [.init("conformance.history.*", HistoryPolicy(maximumMessages: 50))]
/// ```
///
/// The limits of presence are the default ones.
public struct ConformanceSuite: Sendable {
  private let make: @Sendable () async throws -> any Broadcast

  /// Whether two instances that are made one after the other reach each other.
  let sharesBroker: Bool

  private let patience: Duration

  /// - Parameters:
  ///   - sharesBroker: Whether instances reach each other through a broker. False for memory.
  ///   - patience: How long a chapter may take. It fails when it takes longer, whatever it may still find.
  ///   - make: Makes an instance which has not been run. It is called at least once for each chapter.
  public init(
    sharesBroker: Bool = true, patience: Duration = .seconds(30),
    make: @escaping @Sendable () async throws -> any Broadcast
  ) {
    self.sharesBroker = sharesBroker
    self.patience = patience
    self.make = make
  }

  /// Runs all chapters, one after the other.
  ///
  /// - Throws: The first ``ConformanceFailure``.
  public func run() async throws {
    for chapter in Chapter.allCases { try await run(chapter) }
  }

  /// Runs one chapter.
  ///
  /// It ends with its last promise, with the first that is broken, or when its time is over: then its task is cancelled,
  /// and it fails. A backend whose calls ignore that their task is cancelled holds it up for longer.
  ///
  /// - Throws: A ``ConformanceFailure``, which names the chapter and the promise, or the time that was not enough.
  public func run(_ chapter: Chapter) async throws {
    do {
      try await playInTime(chapter)
    } catch let broken as Broken {
      throw ConformanceFailure(chapter: chapter, message: broken.message)
    } catch {
      throw ConformanceFailure(chapter: chapter, message: "An unexpected error: \(error)")
    }
  }

  private func playInTime(_ chapter: Chapter) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await play(chapter)
        return true
      }
      group.addTask {
        // The time limit of the chapter: cancelled as soon as the chapter has ended.
        try await Task.sleep(for: patience)
        return false
      }
      let isInTime = try await group.next() == true
      group.cancelAll()
      // A chapter that is cancelled may end as if all were well, for what it waits for then ends.
      try Task.checkCancellation()
      if isInTime { return }
      var message = "It was not done after \(patience)."
      // What it waited for ends now, so that it can say what was missing.
      do { try await group.waitForAll() } catch let broken as Broken { message += " \(broken.message)" } catch {}
      throw Broken(message)
    }
  }

  private func play(_ chapter: Chapter) async throws {
    switch chapter.value {
    case .lifecycle: try await checkLifecycle(try await make())
    case .betweenInstances where !sharesBroker, .presenceBetweenInstances where !sharesBroker: break
    case .betweenInstances: try await checkBetweenInstances(try await make(), try await make())
    case .presenceBetweenInstances: try await checkPresenceBetweenInstances(try await make(), try await make())
    default: try await withBroadcast(try await make()) { try await check(chapter, $0) }
    }
  }

  private func check(_ chapter: Chapter, _ broadcast: any Broadcast) async throws {
    switch chapter.value {
    case .content: try await checkContent(broadcast)
    case .channelNames: try await checkChannelNames(broadcast)
    case .invalidNames: try await checkInvalidNames(broadcast)
    case .headers: try await checkHeaders(broadcast)
    case .promptness: try await checkPromptness(broadcast)
    case .earlierMessages: try await checkEarlierMessages(broadcast)
    case .order: try await checkOrder(broadcast)
    case .commonOrder: try await checkCommonOrder(broadcast)
    case .payloadLimit: try await checkPayloadLimit(broadcast)
    case .gaps: try await checkGaps(broadcast)
    case .severalChannels: try await checkSeveralChannels(broadcast)
    case .firstSubscribers: try await checkFirstSubscribers(broadcast)
    case .comingBack: try await checkComingBack(broadcast)
    case .leaving: try await checkLeaving(broadcast)
    case .patterns: try await checkPatterns(broadcast)
    case .positions: try await checkPositions(broadcast)
    case .history: try await checkHistory(broadcast)
    case .recovery: try await checkRecovery(broadcast)
    case .joining: try await checkJoining(broadcast)
    case .presence: try await checkPresence(broadcast)
    case .presenceUpdates: try await checkPresenceUpdates(broadcast)
    case .lifecycle, .betweenInstances, .presenceBetweenInstances: break
    }
  }
}

/// A promise that a backend does not keep.
public struct ConformanceFailure: Error, CustomStringConvertible {
  public var chapter: ConformanceSuite.Chapter
  public var message: String

  public var description: String { "\(chapter): \(message)" }
}
