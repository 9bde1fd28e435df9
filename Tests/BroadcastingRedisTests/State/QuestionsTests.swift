//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

import Testing

@testable import BroadcastingNetwork
@testable import BroadcastingRedis

@Suite("Questions to scripts")
struct QuestionsTests {
  private typealias Asked = Questions<String>

  private func call(_ argument: String, of script: ServerScript = .read, bytes: Int = 0) -> ScriptCall {
    ScriptCall(script: script, keys: [Array("k".utf8)], arguments: [Array(argument.utf8)], answerBytes: bytes)
  }

  private func at(_ milliseconds: Int) -> LoopInstant { LoopInstant(milliseconds: UInt64(milliseconds)) }

  /// All that is to be sent now, each as its last word, and a script as its name.
  private func send(_ questions: inout Asked) -> [String] {
    var sent: [String] = []
    while let command = questions.next() {
      let words = command.map { String(decoding: $0, as: UTF8.self) }
      if words[0] == "SCRIPT" {
        sent.append(words[2] == String(decoding: ServerScript.read.source, as: UTF8.self) ? "read" : "record")
      } else {
        sent.append("\(words[1]) \(words.last ?? "")")
      }
    }
    return sent
  }

  private func describe(_ subject: Asked.Subject) -> String {
    switch subject {
    case .call(let waiter): waiter ?? "nobody"
    case .script: "script"
    case .failedScript(let waiters): "failed \(waiters.joined(separator: " "))"
    case .unexpected: "unexpected"
    }
  }

  private func answer(_ questions: inout Asked, _ text: String = "x") -> String {
    describe(questions.answered(text: Array(text.utf8)))
  }

  @Test("a script is loaded once, before its first call, and answers come in the order of the questions")
  func order() {
    var questions = Asked()
    for name in ["a", "b", "c"] { questions.add(call(name), deadline: at(1), name) }
    #expect(send(&questions) == ["read"])
    #expect(send(&questions) == [])
    #expect(answer(&questions, "digest") == "script")
    #expect(questions.digest(of: .read) == Array("digest".utf8))
    #expect(send(&questions) == ["digest a", "digest b", "digest c"])
    #expect(["a", "b", "c"].map { _ in answer(&questions) } == ["a", "b", "c"])
    #expect(answer(&questions) == "unexpected")
  }

  @Test("a script that the server has lost is loaded again, once, and what needed it is asked again in its order")
  func missing() {
    var questions = Asked()
    for name in ["a", "b", "c"] { questions.add(call(name), deadline: at(1), name) }
    _ = send(&questions)
    _ = answer(&questions, "one")
    _ = send(&questions)
    #expect(answer(&questions) == "a")
    #expect(describe(questions.refused(isMissing: true)) == "script")
    #expect(send(&questions) == ["read"])
    #expect(describe(questions.refused(isMissing: true)) == "script")
    #expect(send(&questions) == [])
    #expect(answer(&questions, "two") == "script")
    #expect(send(&questions) == ["two b", "two c"])
    #expect([answer(&questions), answer(&questions)] == ["b", "c"])
  }

  @Test("a script that is missing however often it is loaded is told")
  func missingAgain() {
    var questions = Asked()
    questions.add(call("a"), deadline: at(1), "a")
    var answers: [String] = []
    for _ in 0..<4 {
      #expect(send(&questions) == ["read"])
      _ = answer(&questions, "d")
      #expect(send(&questions) == ["d a"])
      answers.append(describe(questions.refused(isMissing: true)))
    }
    #expect(answers == ["script", "script", "script", "a"])
  }

  @Test("a script that cannot be loaded fails who waits for it, and nobody else")
  func unloadable() {
    var questions = Asked()
    questions.add(call("a"), deadline: at(1), "a")
    questions.add(call("b", of: .record), deadline: at(1), "b")
    questions.add(call("c"), deadline: at(1), "c")
    #expect(send(&questions) == ["read"])
    #expect(describe(questions.refused(isMissing: false)) == "failed a c")
    #expect(send(&questions) == ["record"])
    #expect(answer(&questions, "d") == "script")
    #expect(send(&questions) == ["d b"])
    #expect(answer(&questions) == "b")
    questions.add(call("e"), deadline: at(1), "e")
    #expect(send(&questions) == ["read"])
  }

  @Test("a caller whose time is over is told; what was sent keeps its place, and what was not is never sent")
  func deadlines() {
    var questions = Asked(maximumSent: 2)
    questions.add(call("a"), deadline: at(10), "a")
    _ = send(&questions)
    _ = answer(&questions, "d")
    #expect(send(&questions) == ["d a"])
    questions.add(call("b"), deadline: at(20), "b")
    #expect(send(&questions) == ["d b"])
    questions.add(call("c"), deadline: at(20), "c")
    questions.add(call("e"), deadline: at(30), "e")
    #expect(send(&questions) == [])
    #expect(questions.nextDeadline == at(10))
    #expect(questions.expire(now: at(9)) == [])
    #expect(questions.expire(now: at(20)) == ["a", "b", "c"])
    #expect(questions.nextDeadline == at(30))
    #expect([answer(&questions), answer(&questions)] == ["nobody", "nobody"])
    #expect(send(&questions) == ["d e"])
    #expect(answer(&questions) == "e")
    #expect(questions.nextDeadline == nil)
  }

  @Test("no more is asked at once than the server may answer, but always one")
  func limits() {
    var questions = Asked(maximumSent: 3, maximumSentBytes: 100)
    questions.add(call("w"), deadline: at(1), "w")
    _ = send(&questions)
    _ = answer(&questions, "d")
    #expect(send(&questions) == ["d w"])
    _ = answer(&questions)
    for (name, bytes) in [("a", 500), ("b", 50), ("c", 50), ("e", 1), ("f", 0)] {
      questions.add(call(name, bytes: bytes), deadline: at(1), name)
    }
    #expect(send(&questions) == ["d a"])
    _ = answer(&questions)
    #expect(send(&questions) == ["d b", "d c"])
    _ = answer(&questions)
    #expect(send(&questions) == ["d e", "d f"])
  }

  @Test("whether the server is there is asked without a script, and answered in its place")
  func greeting() {
    var questions = Asked()
    questions.add(nil, deadline: at(1), "there")
    #expect(questions.next() == [Array("HELLO".utf8), Array("2".utf8)])
    questions.add(call("a"), deadline: at(1), "a")
    #expect(send(&questions) == ["read"])
    questions.add(nil, deadline: at(1), "still")
    #expect(describe(questions.answered(text: nil)) == "there")
    _ = answer(&questions, "d")
    #expect(send(&questions) == ["d a", "2 2"])
    #expect(answer(&questions) == "a")
    #expect(describe(questions.refused(isMissing: false)) == "still")
  }

  @Test("at the end all who wait are given back in their order")
  func end() {
    var questions = Asked()
    for number in 0..<200 { questions.add(call("x"), deadline: at(1), "\(number)") }
    _ = send(&questions)
    _ = answer(&questions, "d")
    _ = send(&questions)
    for number in 0..<150 { #expect(answer(&questions) == "\(number)") }
    #expect(questions.removeAll() == (150..<200).map { "\($0)" })
    #expect(questions.nextDeadline == nil)
    #expect(send(&questions) == [])
  }
}
