//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingNetwork
import BroadcastingWeb

/// Reading the states of live resources, by the tasks of the sockets that need them.
extension FanOut {
  /// Further attempts to read a state after one that failed.
  private static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(3)]
  /// How often a reading may begin anew because changes were missed meanwhile.
  private static let mostBeginnings = 5
  /// Over which time readings begin that come together, for each of them.
  private static let spreadOfOne = Duration.milliseconds(5)

  /// The reading that a member gets its state by: one that others of the same name wait for, or a new one.
  func read(for member: Member) -> LiveRead {
    guard let live = member.live else { return LiveRead(nil, at: 0) }
    let read = live.feed.read(live.resource.sharedName)
    read.add(member)
    return read
  }

  /// A socket that is open needs a new state, which somebody's task has to read.
  func requestRead(for member: Member) {
    // Whoever had a part in it before was woken then, or cannot read.
    read(for: member).wakeRunner(among: CollectionOfOne(member))
  }

  /// Reads the state, again where messages were missed meanwhile.
  ///
  /// - Parameter fails: Whether an error is the end of it, for all who wait for their first state.
  func run(_ read: LiveRead, by resource: LiveResource, fails: Bool) async throws {
    guard let feed = read.members.first?.live?.feed else { return end(read, of: nil) }
    read.hasRunner = true
    do {
      await liveTurns.take()
      defer { liveTurns.pass() }
      guard read.phase == .waiting else { return }
      for _ in 0..<Self.mostBeginnings {
        read.begin(after: feed.source.arrived)
        let state = try await resource.state()
        if !read.isStale || feed.closure != nil { return try finish(read, state, of: feed) }
      }
      throw BroadcastError(.unavailable, "Changes were missed again and again.", isRetriable: true)
    } catch {
      if Task.isCancelled {
        read.giveUp()
        passOn(read, of: feed)
      } else if fails {
        fail(read, error, of: feed)
      } else {
        read.rest()
      }
      throw error
    }
  }

  private func finish(_ read: LiveRead, _ state: LiveState, of feed: LiveFeed) throws {
    if read.hasOverflown { throw Self.tooSlow }
    read.finish(state, taken: feed.source.taken)
    if let closure = feed.closure, read.phase == .filtering || (closure == .deleted && !read.endsWithDeletion) {
      // What was deleted before it was read is there again: the next feed has it.
      return endAll(read, closure == .deleted ? .missedMessages : closure, of: feed)
    }
    var batches = [WebSocketFrame.encode(.text, Array(state.text.utf8))]
    if read.phase == .settled { batches += read.takeFrames() }
    guard let frames = LiveFrames(batches, in: pastMemory) else { throw Self.noMemory }
    for member in read.members { member.live?.add(frames) }
    read.wakeWaiters()
    if read.phase == .settled {
      settle(read, of: feed)
    } else if read.members.isEmpty {
      end(read, of: feed)
    } else {
      for member in read.members { pump(member) }
    }
  }

  /// The sockets of a reading go on in the log.
  func settle(_ read: LiveRead, of feed: LiveFeed) {
    let members = read.takeMembers()
    end(read, of: feed)
    for member in members where member.closure == nil && !member.hasLeft {
      feed.admit(member)
      pump(member)
    }
  }

  /// The changes behind a state, once the first has come that it does not include.
  func settleFiltered(_ read: LiveRead, of feed: LiveFeed) {
    let isWhole = !read.hasOverflown
    guard isWhole, let frames = LiveFrames(read.takeFrames(), in: pastMemory) else {
      return endAll(read, .missedMessages, of: feed)
    }
    for member in read.members { member.live?.add(frames) }
    settle(read, of: feed)
  }

  func endAll(_ read: LiveRead, _ closure: WebSocketClosure, of feed: LiveFeed) {
    let members = read.takeMembers()
    end(read, of: feed)
    for member in members where member.closure == nil { close(member, closure) }
  }

  func end(_ read: LiveRead, of feed: LiveFeed?) {
    feed?.remove(read)
    read.end()
  }

  /// Whoever had to read it is gone: another one has to.
  func passOn(_ read: LiveRead, of feed: LiveFeed) {
    if read.members.isEmpty { end(read, of: feed) } else { read.wakeRunner(among: read.members) }
  }

  /// It failed for a socket that is still to come. Those that are open may try themselves.
  private func fail(_ read: LiveRead, _ error: any Error, of feed: LiveFeed) {
    let members = read.takeMembers()
    feed.remove(read)
    read.fail(error)
    for member in members where member.outlet != nil && member.closure == nil { requestRead(for: member) }
  }

  // MARK: Again

  /// Reads a state for an open socket, and all that wait for the same one.
  ///
  /// - Returns: why there is none, where that is for the program to know. Then the others are closed already.
  @inline(never)
  func readAgain(for member: Member) async -> (any Error)? {
    guard let live = member.live, let read = live.read, read.wantsRunner else { return nil }
    read.hasRunner = true
    waitingLiveReads += 1
    // After the broker was away all need one at once, on every server.
    let window = min(spread, Self.spreadOfOne * waitingLiveReads)
    if waitingLiveReads > 1 { try? await loop.sleep(for: window * Double.random(in: 0..<1)) }
    waitingLiveReads -= 1
    var pauses = Self.pauses[...]
    while true {
      do {
        try await run(read, by: live.resource, fails: false)
        return nil
      } catch {
        if Task.isCancelled { return nil }
        if let closure = Self.closure(for: error) {
          endAll(read, closure, of: live.feed)
          return nil
        }
        guard let pause = pauses.popFirst() else {
          read.remove(member)
          endAll(read, WebSocketClosure(.tryAgainLater, "The state cannot be read now. Come back."), of: live.feed)
          return error
        }
        try? await loop.sleep(for: pause * Double.random(in: 0.5..<1.5))
        if read.phase == .over { return nil }
        if Task.isCancelled {
          read.giveUp()
          passOn(read, of: live.feed)
          return nil
        }
      }
    }
  }

  /// How sockets are closed for an error that trying again does not help.
  private static func closure(for error: any Error) -> WebSocketClosure? {
    switch error {
    case let error as RequestError where error.status == .notFound || error.status == .gone:
      WebSocketClosure(.notFound, error.message)
    case let error as RequestError where error.status.code < 500: WebSocketClosure(thrown: error)
    case let error as RequestError where error.code == noMemory.code || error.code == tooSlow.code: .missedMessages
    default: nil
    }
  }

  private static var noMemory: RequestError {
    RequestError(
      .serviceUnavailable, "state_too_large", "The server has no memory for this state now. Come back later.",
      headers: ["Retry-After": "1"])
  }

  private static var tooSlow: RequestError {
    RequestError(
      .serviceUnavailable, "state_too_slow", "Too many changes came while the state was read. Try again.",
      headers: ["Retry-After": "1"])
  }
}
