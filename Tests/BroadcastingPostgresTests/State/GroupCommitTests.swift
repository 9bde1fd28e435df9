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

  private func isHarmless(_ consequence: GroupCommit.Consequence) -> Bool {
    if case .none = consequence { true } else { false }
  }

  /// Sends all, and refuses each transaction with one of `bad`, which are places in the order. Returns how many messages each
  /// transaction had.
  private func sizes(_ commit: inout GroupCommit, refusing bad: Set<Int> = []) -> [Int] {
    var sizes: [Int] = []
    var done = 0
    while commit.next() != nil {
      let count = commit.batch.messages
      sizes.append(count)
      let isRefused = !bad.isDisjoint(with: done..<done + count)
      if !isRefused || count == 1 { done += count }
      if isRefused {
        #expect(isHarmless(commit.refused(wrongData, "bad")))
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
      #expect(commit.next() == .publish)
      #expect(commit.batch.probe == 7 && commit.batch.messages == 1)
      #expect(isHarmless(commit.refused(wrongData, "bad")))
      #expect(commit.next() == .publish)
      #expect(commit.batch.probe == 7 && commit.batch.messages == 0)
      commit.succeeded()
      #expect(commit.next() == .publish)
      #expect(commit.batch.probe == nil && commit.batch.messages == 1)
      #expect(isHarmless(commit.refused(wrongData, "bad")))
      #expect(commit.next() == nil)
    }
    #expect(results["bad"]?.code == .refused)
  }

  @Test("a full queue concerns all of a transaction, and may pass")
  func queueFull() async throws {
    let results = try await publishing(["1", "2"]) { commit in
      #expect(commit.next() == .publish)
      #expect(isHarmless(commit.refused(.limitExceeded, "too many notifications in the NOTIFY queue")))
      #expect(commit.next() == nil)
    }
    #expect(results.count == 2)
    for error in results.values {
      #expect(error.isRetriable && error.outcome == .notSent)
      #expect(error.message.contains("pg_notification_queue_usage()"))
    }
  }

  @Test("a full queue refuses the probe, the session stays, and room is made before the next")
  func queueFullForProbe() async throws {
    let results = try await publishing(["1"]) { commit in
      commit.append(probe: 7)
      #expect(commit.next() == .publish)
      let consequence = commit.refused(.limitExceeded, "too many notifications in the NOTIFY queue")
      guard case .probeRefused(7, let error) = consequence else {
        Issue.record("\(consequence)")
        return
      }
      #expect(error.isRetriable && error.outcome == nil)
      #expect(commit.next() == nil)
      commit.append(probe: 8)
      #expect(commit.next() == .makeRoom)
      // Without the right to ask it still goes on.
      #expect(isHarmless(commit.refused(.notPermitted, "no")))
      #expect(commit.next() == .publish)
      #expect(commit.batch.probe == 8 && commit.batch.messages == 0)
      commit.succeeded()
      #expect(commit.next() == nil)
    }
    #expect(results["1"]?.outcome == .notSent && results["1"]?.isRetriable == true)
  }

  @Test("a session that ends while room is made ends", arguments: ["26000", "57P01"])
  func endWhileMakingRoom(code: String) {
    var commit = GroupCommit(probeName: ChannelName("probe".utf8))
    #expect(commit.next() == nil)
    commit.append(probe: 1)
    #expect(commit.next() == .publish)
    _ = commit.refused(.limitExceeded, "too many notifications in the NOTIFY queue")
    commit.append(probe: 2)
    #expect(commit.next() == .makeRoom)
    guard case .sessionEnds = commit.refused(SQLState(code), "no") else {
      Issue.record("it goes on")
      return
    }
  }

  @Test(
    "a refusal that may pass ends no session, with a probe or without",
    arguments: ["55P03", "57014", "53200", "40001"])
  func passing(code: String) async throws {
    let results = try await publishing(["1"]) { commit in
      commit.append(probe: 7)
      #expect(commit.next() == .publish)
      guard case .probeRefused(7, let error) = commit.refused(SQLState(code), "no") else {
        Issue.record("the session ends")
        return
      }
      #expect(error.isRetriable && error.outcome == nil)
      commit.append(probe: 8)
      #expect(commit.next() == .publish)
      #expect(commit.batch.probe == 8 && commit.batch.messages == 0)
    }
    #expect(results["1"]?.outcome == .notSent && results["1"]?.isRetriable == true)
  }

  @Test("where a commit of others is held up the refusal says how to find it")
  func heldCommit() {
    let error = PostgresError.refused(.lockNotAvailable, "No.", to: "publish")
    #expect(error.code == .unavailable && error.isRetriable && error.outcome == .notSent)
    #expect(error.message.contains("pg_stat_activity") && error.message.contains("SyncRep"))
  }

  @Test(
    "what concerns the session, and a refusal of a probe that will not pass, end it",
    arguments: [("26000", false), ("42501", true), ("57P01", true)])
  func sessionEnds(code: String, hasProbe: Bool) async throws {
    let results = try await publishing(["1"]) { commit in
      if hasProbe { commit.append(probe: 1) }
      #expect(commit.next() == .publish)
      guard case .sessionEnds(let error) = commit.refused(SQLState(code), "no") else {
        Issue.record("it goes on")
        return
      }
      #expect(error.isRetriable && error.outcome == nil)
    }
    // It was under way when the session ended.
    #expect(results["1"]?.outcome == .unconfirmed)
  }

  @Test(
    "a refusal for what a message holds says what is wrong with it",
    arguments: [
      ("22P05", "encoding of the database may lack"), ("22021", "may lack"), ("22023", "7,999 bytes"), ("22000", ""),
    ])
  func advice(code: String, words: String) {
    let error = PostgresError.refused(SQLState(code), "No.", to: "publish")
    #expect(error.code == .refused && !error.isRetriable && error.outcome == .notSent)
    #expect(error.message.hasSuffix("(SQLSTATE \(code))") == words.isEmpty)
    #expect(words.isEmpty || error.message.contains(words))
  }

  @Test("equal ones go one after the other")
  func equal() async throws {
    let mailbox = PublishMailbox()
    mailbox.open {}
    async let published = mailbox.publish(["x", "y", "x", "x"].map { Message($0, to: "a") })
    while mailbox.count == 0 { await Task.yield() }
    var commit = GroupCommit(probeName: ChannelName("probe".utf8))
    commit.append(mailbox.takeAll(), deadline: .distantFuture)
    #expect(sizes(&commit) == [2, 1, 1])
    _ = try await published
  }
}
