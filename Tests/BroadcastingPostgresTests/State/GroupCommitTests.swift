//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Broadcasting
import BroadcastingBroker
import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingPostgres

@Suite("Group commit", .timeLimit(.minutes(1)))
struct GroupCommitTests {
  private let wrongData = SQLState("22P05")

  /// Publishes each of the texts by a call of its own. Returns the errors of those that failed when `body` has returned.
  private func publishing(
    _ texts: [String], _ body: (inout GroupCommit) -> Void
  ) async throws -> [String: BroadcastError] {
    let mailbox = PublishMailbox()
    mailbox.open {}
    return try await withThrowingTaskGroup(of: (String, BroadcastError?).self) { group in
      for (index, text) in texts.enumerated() {
        group.addTask {
          do throws(BroadcastError) { try await mailbox.publish([Message(text, to: "a")]) } catch {
            return (text, error)
          }
          return (text, nil)
        }
        // One after the other, so that their order is known.
        while mailbox.count <= index { await Task.yield() }
      }
      var commit = GroupCommit(probeName: ChannelName("probe".utf8))
      commit.append(mailbox.takeAll(), deadline: LoopInstant(milliseconds: 2_000))
      body(&commit)
      commit.fail(because: BroadcastError(.unavailable, "left over", isRetriable: true))
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  /// Sends all, and refuses each transaction with one of `bad`, which are places in the order. Returns how many messages each
  /// transaction had.
  private func sizes(_ commit: inout GroupCommit, refusing bad: Set<Int> = []) -> [Int] {
    var sizes: [Int] = []
    var done = 0
    while commit.next() {
      let count = commit.batch.messages
      sizes.append(count)
      let isRefused = !bad.isDisjoint(with: done..<done + count)
      if !isRefused || count == 1 { done += count }
      if isRefused {
        #expect(commit.refused(wrongData, "bad") == nil)
      } else {
        commit.succeeded()
      }
    }
    return sizes
  }

  @Test("all that waits goes at once")
  func together() async throws {
    let results = try await publishing(["1", "2", "3"]) { commit in
      #expect(sizes(&commit) == [3])
    }
    #expect(results.isEmpty)
  }

  @Test("after a refusal for what one holds they go by halves, and only that one fails")
  func halves() async throws {
    let results = try await publishing(["1", "bad", "3"]) { commit in
      #expect(sizes(&commit, refusing: [1]) == [3, 2, 1, 1, 1])
      #expect(commit.nextDeadline == nil)
    }
    #expect(Array(results.keys) == ["bad"])
    #expect(results["bad"]?.code == .refused && results["bad"]?.outcome == .notSent)
  }

  @Test(
    "those at fault fail alone, after few transactions",
    arguments: [([0], 22), ([617], 22), ([999], 22), ([3, 700], 42), (Array(0..<1_000), 2_000)])
  func guilty(bad: [Int], transactions: Int) async throws {
    let results = try await publishing((0..<1_000).map { "\($0)" }) { commit in
      #expect(sizes(&commit, refusing: Set(bad)).count <= transactions)
    }
    #expect(Set(results.keys) == Set(bad.map { "\($0)" }))
    #expect(results.values.allSatisfy { $0.code == .refused && $0.outcome == .notSent })
  }

  @Test("a probe beside a refused message goes alone")
  func probe() async throws {
    let results = try await publishing(["bad"]) { commit in
      commit.append(probe: 7)
      #expect(commit.next() == true)
      #expect(commit.batch.probe == 7 && commit.batch.messages == 1)
      #expect(commit.refused(wrongData, "bad") == nil)
      #expect(commit.next() == true)
      #expect(commit.batch.probe == 7 && commit.batch.messages == 0)
      commit.succeeded()
      #expect(commit.next() == true)
      #expect(commit.batch.probe == nil && commit.batch.messages == 1)
      #expect(commit.refused(wrongData, "bad") == nil)
      #expect(commit.next() == false)
    }
    #expect(results["bad"]?.code == .refused)
  }

  @Test("a full queue concerns all of a transaction, and may pass")
  func queueFull() async throws {
    let results = try await publishing(["1", "2"]) { commit in
      #expect(commit.next() == true)
      #expect(commit.refused(.limitExceeded, "too many notifications in the NOTIFY queue") == nil)
      #expect(commit.next() == false)
    }
    #expect(results.count == 2)
    for error in results.values {
      #expect(error.isRetriable && error.outcome == .notSent)
      #expect(error.message.contains("pg_notification_queue_usage()"))
    }
  }

  @Test(
    "what concerns the session, and any refusal of a probe, ends it", arguments: [("26000", false), ("54000", true)])
  func sessionEnds(code: String, hasProbe: Bool) async throws {
    let results = try await publishing(["1"]) { commit in
      if hasProbe { commit.append(probe: 1) }
      #expect(commit.next() == true)
      let error = commit.refused(SQLState(code), "no")
      #expect(error?.isRetriable == true && error?.outcome == nil)
    }
    // It was under way when the session ended.
    #expect(results["1"]?.outcome == .unconfirmed)
  }

  @Test("equal ones go one after the other")
  func equal() async throws {
    let mailbox = PublishMailbox()
    mailbox.open {}
    async let published: Void = mailbox.publish(["x", "y", "x", "x"].map { Message($0, to: "a") })
    while mailbox.count == 0 { await Task.yield() }
    var commit = GroupCommit(probeName: ChannelName("probe".utf8))
    commit.append(mailbox.takeAll(), deadline: .distantFuture)
    #expect(sizes(&commit) == [2, 1, 1])
    try await published
  }
}
