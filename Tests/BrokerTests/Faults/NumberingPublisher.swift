//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingLocking

/// Publishes numbered messages all along, on each channel one call after the other, and notes what became of each.
final class NumberingPublisher: Sendable {
  private struct State {
    var ledger = Ledger()
    var complaints: [String] = []
    var isEnding = false
  }

  private let number: Int
  private let channels: [Channel]
  private let broadcast: any Broadcast
  private let state = Lock(State())

  init(_ number: Int, on channels: [Channel], of broadcast: any Broadcast) {
    self.number = number
    self.channels = channels
    self.broadcast = broadcast
  }

  var ledger: Ledger { state.withLock { $0.ledger } }

  /// Calls that failed in another way than is promised, or too late.
  var complaints: [String] { state.withLock { $0.complaints } }

  /// What it publishes from now on has at least these numbers.
  var marks: [Line: Int] {
    state.withLock { state in
      var marks: [Line: Int] = [:]
      for channel in channels {
        let line = Line(publisher: number, channel: channel)
        // One more, since the next may be under way.
        marks[line] = state.ledger.next(line) + Self.most
      }
      return marks
    }
  }

  /// The last number of each line that was published for certain.
  var lastPublished: [Line: Int] { ledger.lastPublished }

  /// The most messages of one call.
  private static let most = 3

  func run() async {
    await withTaskGroup { group in
      for channel in channels { group.addTask { await self.run(on: channel) } }
    }
  }

  private func run(on channel: Channel) async {
    var step = 0
    while !state.withLock({ $0.isEnding }), !Task.isCancelled {
      await publish(step % 9 == 8 ? Self.most : 1, to: channel)
      step += 1
      // So that a broker which is away, and refuses at once, makes no million of messages.
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Lets ``run()`` end after the calls that are under way.
  func end() { state.withLock { $0.isEnding = true } }

  private func publish(_ count: Int, to channel: Channel) async {
    let line = Line(publisher: number, channel: channel)
    let first = state.withLock { $0.ledger.next(line) }
    let messages = (first..<first + count).map { Stamp(publisher: number, channel: channel, number: $0).message }
    let start = ContinuousClock.now
    do throws(BroadcastError) {
      try await broadcast.publish(messages)
      note(.published, count, line)
    } catch {
      note(error.outcome == .notSent ? .notSent : .unconfirmed, count, line)
      complain(of: error, to: "publishing", after: ContinuousClock.now - start)
      if error.outcome == nil { complain("no outcome: \(error)") }
    }
  }

  private func note(_ outcome: Ledger.Outcome, _ count: Int, _ line: Line) {
    state.withLock { state in for _ in 0..<count { state.ledger.add(outcome, to: line) } }
  }

  private func complain(of error: BroadcastError, to what: String, after time: Duration) {
    if error.code == .cancelled { return }
    if !error.isRetriable { complain("\(what) failed as if no retry could help: \(error)") }
    if time > Promised.failing { complain("\(what) failed only after \(time): \(error)") }
  }

  private func complain(_ text: String) { state.withLock { $0.complaints.append(text) } }
}
